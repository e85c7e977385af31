// The network and the cost curve, as SVG.
import { short } from "./numbers.js";

const NS = "http://www.w3.org/2000/svg"; // a name: nothing is fetched from there
const drawn = (tag, attributes, text) => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

const WIDTH = 440;

// A circle a unit, a line a weight: its colour and dashes are the sign, its width the size as a share of the layer's largest.
export function drawNetwork(box, view, data) {
  const sizes = [2, ...view.layers.map(({ b }) => b.length)];
  const tallest = Math.max(...sizes), gap = tallest > 8 ? 24 : tallest > 4 ? 40 : 74, radius = tallest > 8 ? 9 : tallest > 4 ? 14 : 19;
  const height = tallest * gap + 56;
  const left = 56, right = WIDTH - 48;
  const place = (layer, unit) => [
    left + layer / (sizes.length - 1) * (right - left),
    (height - 40) / 2 + (unit - (sizes[layer] - 1) / 2) * gap + 6,
  ];
  const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": described(sizes, view) });
  view.layers.forEach(({ W, b }, layer) => {
    const most = Math.max(...W.flat().map(Math.abs)) || 1;
    W.forEach((row, unit) => row.forEach((weight, from) => {
      const [x1, y1] = place(layer, from), [x2, y2] = place(layer + 1, unit), share = Math.abs(weight) / most;
      const line = drawn("line", {
        x1, y1, x2, y2,
        stroke: weight < 0 ? "#D55E00" : "#0072B2",
        "stroke-width": 0.5 + 3.5 * share,
        "stroke-opacity": 0.2 + 0.75 * share,
        ...(weight < 0 ? { "stroke-dasharray": "7 4" } : {}),
      });
      line.append(drawn("title", {}, `W${layer + 1}[${unit + 1}, ${from + 1}] = ${short(weight)}`));
      picture.append(line);
    }));
  });
  view.layers.forEach(({ W }, layer) => W.forEach((row, unit) => row.forEach((weight, from) => { // over all lines
    if (tallest <= 4 && row.length * W.length <= 8) picture.append(...weightText(place(layer, from), place(layer + 1, unit), weight));
  })));
  const values = Object.fromEntries(view.numbers.map(({ name, values }) => [name, values]));
  sizes.forEach((size, layer) => {
    for (let unit = 0; unit < size; unit++) {
      const [cx, cy] = place(layer, unit), value = values[`A${layer}`][unit][0];
      const circle = drawn("circle", { cx, cy, r: radius, fill: "white", stroke: "#262626", "stroke-width": 1.3 });
      const bias = layer ? `, b = ${short(view.layers[layer - 1].b[unit])}` : "";
      circle.append(drawn("title", {}, `A${layer}[${unit + 1}] = ${short(value)}${bias}`));
      picture.append(circle);
      if (radius > 10) {
        const text = value === null ? "∞" : value.toFixed(2).replace("-", "−");
        picture.append(drawn("text", { x: cx, y: cy + 3.5, "text-anchor": "middle", class: "value small", "pointer-events": "none" }, text));
      }
    }
    const x = place(layer, 0)[0];
    const kind = layer === 0 ? "input" : layer === sizes.length - 1 ? "output" : sizes.length > 3 ? `hidden ${layer}` : "hidden";
    picture.append(drawn("text", { x, y: height - 20, "text-anchor": "middle" }, kind));
    if (layer) picture.append(drawn("text", { x, y: height - 6, "text-anchor": "middle" }, view.activations[layer - 1].replaceAll("_", " ")));
  });
  box.replaceChildren(picture);
}

function weightText([x1, y1], [x2, y2], weight) {
  const share = 0.28; // of the way: where lines that cross are still apart
  const [x, y] = [x1 + share * (x2 - x1), y1 + share * (y2 - y1)], text = weight.toFixed(2).replace("-", "−"), width = 6.6 * text.length + 4;
  return [
    drawn("rect", { x: x - width / 2, y: y - 8, width, height: 16, rx: 3, fill: "white", "fill-opacity": 0.9, "pointer-events": "none" }),
    drawn("text", { x, y: y + 4, "text-anchor": "middle", class: "value", "pointer-events": "none" }, text),
  ];
}

const described = (sizes, view) => `A network of ${sizes.join(", ")} units; ` +
  (view.layers.flatMap(({ W }) => W).flat().length > 24 ? "its weights are many" :
    view.layers.map(({ W, b }, layer) => `W${layer + 1} is ${W.map((row) => row.map(short).join(" ")).join("; ")}, b${layer + 1} is ${b.map(short).join(" ")}`).join(". "));

// The cost by epoch: on a logarithmic scale where it falls by more than ten.
export function drawCurve(box, { epochs, costs }) {
  const height = 190, left = 50, right = WIDTH - 10, top = 10, bottom = height - 34;
  const last = costs.length ? costs.at(-1) : null;
  const label = costs.length ? `The cost is ${short(last)} after ${epochs.at(-1)} epochs; it began at ${short(costs[0])}` : "No epoch yet";
  const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label });
  const positive = costs.filter((cost) => cost > 0), low = Math.min(...positive), high = Math.max(...positive);
  const isLog = positive.length > 1 && high > 10 * low;
  const scale = isLog ? Math.log10 : (value) => value;
  const [from, to] = !positive.length ? [0, 1] : isLog ? [Math.floor(scale(low)), Math.ceil(scale(high))] : [0, 1.1 * high];
  const stride = [1, 2, 5, 10].map((factor) => factor * 10 ** Math.floor(Math.log10(to / 4))).find((one) => one >= to / 4.5);
  const end = Math.max(10, epochs.at(-1) ?? 0);
  const x = (epoch) => left + epoch / end * (right - left);
  const y = (cost) => bottom - (scale(Math.max(cost, isLog ? 10 ** from : 0)) - from) / (to - from || 1) * (bottom - top);
  const levels = isLog
    ? Array.from({ length: to - from + 1 }, (_, index) => from + index).filter((power) => (to - from < 6 || power % 2 === 0)).map((power) => 10 ** power)
    : Array.from({ length: Math.floor(to / stride + 1e-9) + 1 }, (_, index) => index * stride);
  for (const level of levels) {
    picture.append(drawn("line", { x1: left, x2: right, y1: y(level), y2: y(level), stroke: "#dcdce0" }));
    picture.append(drawn("text", { x: left - 6, y: y(level) + 4, "text-anchor": "end" }, short(level)));
  }
  picture.append(drawn("line", { x1: left, x2: right, y1: bottom, y2: bottom, stroke: "#8a8a90" }));
  for (const share of [0, 0.5, 1]) {
    const epoch = Math.round(share * end);
    picture.append(drawn("text", { x: x(epoch), y: bottom + 15, "text-anchor": share === 1 ? "end" : "middle" }, epoch.toLocaleString("en")));
  }
  picture.append(drawn("text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }, "epoch"));
  if (costs.length) {
    picture.append(drawn("path", {
      d: epochs.map((epoch, at) => `${at ? "L" : "M"}${x(epoch).toFixed(1)} ${y(costs[at]).toFixed(1)}`).join(""),
      fill: "none", stroke: "#0072B2", "stroke-width": 2, "stroke-linejoin": "round",
    }));
    picture.append(drawn("circle", { cx: x(epochs.at(-1)), cy: y(last), r: 3.5, fill: "#0072B2" }));
  }
  box.replaceChildren(picture);
}
