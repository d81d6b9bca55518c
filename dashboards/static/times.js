// Times on charts: local time of the installation, whatever the browser's own zone is.
const ZONE = document.body.dataset.zone;
const parts = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

function pieces(seconds) {
  const found = {};
  for (const part of parts.formatToParts(new Date(seconds * 1000))) found[part.type] = part.value;
  return found;
}

export function zoned(seconds) {
  return uPlot.tzDate(new Date(seconds * 1000), ZONE);
}

export function clock(seconds) {
  const p = pieces(seconds);
  return `${p.month}-${p.day} ${p.hour}:${p.minute}` + (seconds % 60 ? `:${p.second}` : "");
}

export function ruler(u, splits, axis, space, step) {
  return splits.map((at) => {
    const p = pieces(at);
    if (step >= 86400) return `${p.month}-${p.day}`;
    return p.hour === "00" && p.minute === "00" ? `${p.month}-${p.day}` : `${p.hour}:${p.minute}`;
  });
}

export function width(seconds, words) {
  if (seconds % 86400 === 0) return `${seconds / 86400} ${words.d}`;
  if (seconds % 3600 === 0) return `${seconds / 3600} ${words.h}`;
  if (seconds % 60 === 0) return `${seconds / 60} ${words.min_}`;
  return `${seconds} ${words.s}`;
}

export function span(seconds, words) {
  if (seconds < 60) return `${Math.round(seconds)} ${words.s}`;
  const minutes = Math.round(seconds / 60);
  const days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60), rest = minutes % 60;
  return [days && `${days} ${words.d}`, hours && `${hours} ${words.h}`, rest && !days && `${rest} ${words.min_}`].filter(Boolean).join(" ");
}

// Seconds since local midnight by the installation's clock.
export function dayClock(seconds) {
  const p = pieces(seconds);
  return Number(p.hour) * 3600 + Number(p.minute) * 60 + Number(p.second);
}

// The next moment at which the installation's clock shows `HH:MM`, as RFC 3339.
export function instantAt(time) {
  const p = pieces(Date.now() / 1000), [hour, minute] = time.split(":").map(Number);
  const ahead = ((hour - Number(p.hour)) * 60 + minute - Number(p.minute) + 1440) % 1440;
  const start = Math.floor(Date.now() / 60000) * 60000;
  return new Date(start + (ahead || 1440) * 60000).toISOString();
}
