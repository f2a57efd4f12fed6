"use strict";

// Times as the visitor's clock has them, and the demo chat without reloading. Every page works without this file.

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const tellLocally = (time) => {
  time.textContent = clock.format(new Date(time.dateTime));
};
document.querySelectorAll("time").forEach(tellLocally);

const form = document.querySelector("form[data-chat]");
if (form) {
  const list = document.querySelector("[data-messages]");
  const status = document.querySelector("[data-status]");
  const json = { Accept: "application/json" };

  const show = (message) => {
    const entry = list.lastElementChild.cloneNode(true); // there is always one
    entry.id = `message-${message.number}`;
    entry.className = `${message.own ? "own" : ""} tone-${message.tone}`;
    entry.dataset.number = message.number;
    entry.querySelector("b").textContent = message.name;
    entry.querySelector("time").dateTime = message.moment;
    tellLocally(entry.querySelector("time"));
    entry.querySelector("p").textContent = message.text;
    list.append(entry);
  };

  const refresh = async () => {
    try {
      const last = list.lastElementChild.dataset.number;
      const response = await fetch(`${form.dataset.chat}?after=${last}`, { headers: json });
      // Two answers may overlap: what is there already is not shown twice.
      const messages = (await response.json()).filter(({ number }) => !document.getElementById(`message-${number}`));
      messages.forEach(show);
      status.textContent = "";
    } catch {
      status.textContent = "The chat cannot be reached right now. Trying again…";
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", headers: json, body }).catch(() => null);
    if (!response?.ok) {
      form.submit(); // the plain way: its answer says what is wrong
      return;
    }
    form.elements.text.value = "";
    form.elements.text.focus();
    await refresh();
  });

  setInterval(() => document.hidden || refresh(), 2000); // milliseconds
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}
