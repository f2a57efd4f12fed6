"""What deletes other programs' logs after so many days: logrotate(8), journald.conf(5)."""

from __future__ import annotations

from collections.abc import Sequence


def logrotate(paths: Sequence[str], days: int) -> str:
    """Return what makes logrotate keep the lines in the files *paths* no longer than *days* days.

    A file that is put aside holds the lines of a day, so that one fewer of them is kept than there are days.
    """
    # Its age is that of its last line, and 0 would mean no limit.
    maxage = [f"    maxage {days - 1}"] if days > 1 else []
    return "\n".join(
        [
            "# From privguard: no line is kept for more than " + _days(days) + ".",
            "# Save it as /etc/logrotate.d/site and try it: logrotate --debug /etc/logrotate.d/site",
            *(f'"{path}"' for path in paths),
            "{",
            "    daily",
            f"    rotate {days - 1}",
            *maxage,
            "    # on a day without a line, older files have to go all the same",
            "    ifempty",
            "    missingok",
            "    # what is deleted is not sent to anybody",
            "    nomail",
            "    # works with every program; one that opens its log anew by itself loses no line with: create",
            "    copytruncate",
            "}",
        ]
    )


def journald(days: int) -> str:
    """Return what makes journald keep no entry for longer than *days* days.

    It deletes whole files, and only those that it has put aside: after a day, or half of one when that is all.
    """
    hours = 24 if days > 1 else 12
    kept = f"{days - 1}day" if days > 1 else f"{hours}h"
    return "\n".join(
        [
            "# From privguard: no entry is kept for more than " + _days(days) + ", whoever wrote it.",
            "# Save it as /etc/systemd/journald.conf.d/privguard.conf; then: systemctl restart systemd-journald",
            "[Journal]",
            f"MaxRetentionSec={kept}",
            f"MaxFileSec={hours}h",
            "# what is handed on to syslog is kept by syslog",
            "ForwardToSyslog=no",
        ]
    )


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
