// What lies behind the curves: hatching where data is missing, the red wash where an episode lies,
// bars for declarations and alerts. Canvas pixels, in the order in which they should cover.
const LEAST_PX = 2;
const patterns = new Map();

export function stroke(role) {
  return {
    production: ["#1d4ed8", "rgba(29, 78, 216, .22)"],
    treatment: ["#047857", "rgba(4, 120, 87, .22)"],
    combined: ["#6d28d9", "rgba(109, 40, 217, .22)"],
  }[role] || ["#475569", "rgba(71, 85, 105, .22)"];
}

export function hatch(ctx, ratio, ground = "#f4f5f8", line = "#98a2b3") {
  const key = `${ratio} ${line}`;
  if (!patterns.has(key)) {
    const size = Math.round(7 * ratio);
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const pen = tile.getContext("2d");
    pen.fillStyle = ground;
    pen.fillRect(0, 0, size, size);
    pen.strokeStyle = line;
    pen.lineWidth = Math.max(1, ratio);
    pen.beginPath();
    for (const shift of [-size, 0, size]) { pen.moveTo(shift, size); pen.lineTo(shift + size, 0); }
    pen.stroke();
    patterns.set(key, tile);
  }
  return ctx.createPattern(patterns.get(key), "repeat");
}

function box(u, item) {
  const { left, width } = u.bbox;
  const a = Math.max(left, u.valToPos(item.from, "x", true));
  const b = Math.min(left + width, u.valToPos(item.to, "x", true));
  if (b < left || a > left + width || b < a) return null;
  return [a, Math.max(b - a, LEAST_PX * devicePixelRatio)];
}

// [wash, label] by what a finding is about
const TINTS = {
  treatment: ["rgba(220, 38, 38, .2)", "#991b1b"],
  metering: ["rgba(124, 58, 237, .18)", "#5b21b6"],
  curtailment: ["rgba(220, 38, 38, .2)", "#991b1b"],
  capacity: ["rgba(2, 132, 199, .13)", "#075985"],
  info: ["rgba(2, 132, 199, .13)", "#075985"],
};

function label(ctx, text, at, row, top, ratio, colour) {
  ctx.font = `${10.5 * ratio}px system-ui, sans-serif`;
  if (!text || at[1] < ctx.measureText(text).width + 8 * ratio) return false;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 * ratio;
  ctx.strokeStyle = "rgba(255, 255, 255, .85)";
  ctx.strokeText(text, at[0] + 4 * ratio, top + (3 + 12 * row) * ratio);
  ctx.fillStyle = colour;
  ctx.fillText(text, at[0] + 4 * ratio, top + (3 + 12 * row) * ratio);
  return true;
}

// The kinds of findings, written on their washes where there is room: over grid and curves.
export function name(u, lane, kinds) {
  const { ctx } = u, { top } = u.bbox, ratio = devicePixelRatio;
  const taken = [];
  ctx.save();
  for (const wash of lane.washes) {
    const at = box(u, wash);
    if (!at) continue;
    const ink = wash.suppressed ? "#475569" : (TINTS[wash.matter] || TINTS.metering)[1];
    const row = taken.filter((other) => other[0] < at[0] + at[1] && at[0] < other[0] + other[1]).length;
    if (row < 3 && label(ctx, kinds[wash.kind], at, row, top, ratio, ink)) taken.push(at);
  }
  ctx.restore();
}

export function paint(u, lane, marks, gaps) {
  const { ctx } = u, { top, height } = u.bbox, ratio = devicePixelRatio;
  ctx.save();
  for (const gap of gaps) {
    const at = box(u, gap);
    if (!at) continue;
    ctx.fillStyle = hatch(ctx, ratio);
    ctx.fillRect(at[0], top, at[1], height);
  }
  const grace = lane.grace && box(u, lane.grace);
  if (grace) {
    ctx.fillStyle = hatch(ctx, ratio, "#f5f3ff", "#a78bfa");
    ctx.fillRect(grace[0], top, grace[1], height);
  }
  for (const wash of lane.washes) {
    const at = box(u, wash);
    if (!at) continue;
    if (wash.suppressed) {
      ctx.fillStyle = "rgba(100, 116, 139, .12)";
      ctx.fillRect(at[0], top, at[1], height);
      ctx.strokeStyle = "#64748b";
      ctx.lineWidth = ratio;
      ctx.setLineDash([4 * ratio, 3 * ratio]);
      ctx.strokeRect(at[0], top, at[1], height);
      ctx.setLineDash([]);
    } else {
      ctx.fillStyle = (TINTS[wash.matter] || TINTS.metering)[0];
      ctx.fillRect(at[0], top, at[1], height);
    }
  }
  for (const mark of marks) {
    const at = box(u, mark);
    if (!at) continue;
    const row = mark.kind === "alert" ? 0 : 1;
    ctx.fillStyle = mark.kind === "alert" ? "#ea7a1a" : "#2563eb";
    ctx.globalAlpha = mark.kind === "filed" ? 0.4 : 1;
    ctx.fillRect(at[0], top - 9 * ratio + row * 4.5 * ratio, at[1], 3.5 * ratio);
    ctx.globalAlpha = 1;
  }
  ctx.restore();
}
