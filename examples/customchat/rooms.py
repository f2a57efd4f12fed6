"""What people said: in memory only, and only the newest of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from zlib import crc32

KEPT_MESSAGES = 100  # in each room; the oldest make place for the newest


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that somebody said, with a link to an image at most."""

    number: int
    name: str
    text: str
    image: str
    said_at: datetime

    @property
    def tone(self) -> int:
        """Which of the style sheet's five colours the speaker has: the same for the same name."""
        return crc32(self.name.encode()) % 5


class Room:
    """A conversation with a title, safe to share between threads."""

    def __init__(self, title: str, about: str, opening: Iterable[tuple[int, str, str]]) -> None:
        self.title, self.about = title, about
        self._lock = Lock()
        self._last_number = 0
        self._messages: tuple[Message, ...] = ()
        for minutes_ago, name, text in opening:
            self.say(name, text, at=datetime.now(UTC) - timedelta(minutes=minutes_ago))

    def say(self, name: str, text: str, image: str = "", at: datetime | None = None) -> Message:
        """Add a message and return it."""
        with self._lock:
            self._last_number += 1
            message = Message(self._last_number, name, text, image, at or datetime.now(UTC))
            self._messages = (*self._messages, message)[-KEPT_MESSAGES:]
        return message

    def after(self, number: int = 0) -> list[Message]:
        """Return the messages that came after the one with this number, oldest first."""
        return [message for message in self._messages if message.number > number]


def open_chat() -> Room:
    return Room(
        "The demo room",
        "A room to try things in.",
        [
            (9, "Robin", "Is anyone else here for the quiet?"),
            (8, "Wren", "Me. I came from a site that greeted me with eleven trackers and a cookie wall."),
            (6, "Robin", "And here?"),
            (5, "Wren", "One cookie, with my name in it. It goes when I go."),
        ],
    )


def open_boards() -> dict[str, Room]:
    return {
        "window-seat": Room(
            "The window seat",
            "What you see from where you sit.",
            [
                (190, "Wren", "Fog up to the second floor. The church has no tower today."),
                (64, "Ines", "A heron on the bus shelter. It has read the timetable and is not impressed."),
            ],
        ),
        "kitchen-table": Room(
            "The kitchen table",
            "Recipes, and what went wrong with them.",
            [
                (320, "Bo", "Bread, third try: forgot the salt.\nIt turns out that bread tastes of salt."),
                (41, "Robin", "Lentils, lemon, too much garlic. There is no such thing as too much garlic."),
            ],
        ),
        "workbench": Room(
            "The workbench",
            "Things that people are making, finished or not.",
            [(75, "Ines", "The chair stands on all four legs now. Nobody may sit on it yet.")],
        ),
    }
