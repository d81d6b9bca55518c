// What a circuit uses at the same clock time of like days: a grey band with a dashed median.
import { dayClock } from "./times.js";

export async function usualOf(address) {
  if (!address) return {};
  try {
    const answer = await fetch(address);
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};  // the curves are worth showing without it
  }
}

export function usualAt(found, x) {
  const i = Math.floor(dayClock(x) / found.block_s);
  return [found.low[i], found.median[i], found.high[i]];
}

export function usualColumns(usual, lane, xs) {
  const found = usual[lane.circuit];
  if (!found) return [];
  const blocks = xs.map((x) => Math.floor(dayClock(x) / found.block_s));
  return [found.high, found.low, found.median].map((values) => blocks.map((i) => values[i]));
}

export function usualSeries(usual, lane, paths) {
  if (!usual[lane.circuit]) return [];
  const edge = { stroke: "rgba(71, 85, 105, .35)", width: 0.7, points: { show: false }, paths };
  return [edge, edge, { stroke: "#334155", width: 1, dash: [5, 4], points: { show: false }, paths }].map((s) => ({ ...s }));
}
