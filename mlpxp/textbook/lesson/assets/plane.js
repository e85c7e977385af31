// The plane: shades of the classes, lines where two are equally probable, the hidden units' half-planes, the examples.
const INK = "#262626";
const MARGIN = { left: 44, right: 8, top: 8, bottom: 38 };
const STRENGTH = 0.55; // of a hue where the probability is 1
const small = document.createElement("canvas"); // the grid, a pixel a point
let decoded = { key: null, shares: null };

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function sharesOf(view) {
  if (decoded.key !== view.shares) {
    const read = (text) => {
      const bytes = atob(text), shares = new Float32Array(bytes.length / 2);
      for (let at = 0; at < shares.length; at++) shares[at] = (bytes.charCodeAt(2 * at) + 256 * bytes.charCodeAt(2 * at + 1)) / 65535;
      return shares;
    };
    const outputs = view.shares.map(read);
    decoded = { key: view.shares, shares: outputs.length > 1 ? outputs : [outputs[0].map((share) => 1 - share), outputs[0]] };
  }
  return decoded.shares;
}

function frameOf(canvas, data) {
  const width = canvas.clientWidth, height = canvas.clientHeight;
  const [x0, x1] = data.right, [y0, y1] = data.up;
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  return {
    width, height, inner,
    x: (value) => MARGIN.left + (value - x0) / (x1 - x0) * inner.width,
    y: (value) => MARGIN.top + (y1 - value) / (y1 - y0) * inner.height,
  };
}

export function drawPlane(canvas, data, view) {
  const frame = frameOf(canvas, data), ratio = window.devicePixelRatio || 1;
  const size = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, frame.width, frame.height);
  const shares = sharesOf(view);
  pen.save();
  pen.beginPath();
  pen.rect(MARGIN.left, MARGIN.top, frame.inner.width, frame.inner.height);
  pen.clip();
  shade(pen, frame, data, shares);
  boundary(pen, frame, data, shares);
  halfPlanes(pen, frame, data, view);
  pen.restore();
  axes(pen, frame, data);
  examples(pen, frame, data, view);
  canvas.setAttribute("aria-label", `The decision boundary: ${view.right} of ${view.m} examples are on the right side of it, after ` +
    `${view.epoch} epochs. ${view.layers.length > 1 ? `${view.layers[0].b.length} dashed lines are the hidden units' half-planes.` : ""}`);
  legend(data, view);
}

function shade(pen, frame, data, shares) {
  const g = data.grid, hues = data.colours.map(channels), image = new ImageData(g, g);
  for (let row = 0; row < g; row++) {
    for (let column = 0; column < g; column++) {
      const from = row * g + column, to = 4 * ((g - 1 - row) * g + column);
      let winner = 0;
      for (let k = 1; k < shares.length; k++) if (shares[k][from] > shares[winner][from]) winner = k;
      const share = shares.length > 2 ? shares[winner][from] : 2 * shares[winner][from] - 1; // white where two are equal
      for (let part = 0; part < 3; part++) image.data[to + part] = 255 - STRENGTH * share * (255 - hues[winner][part]);
      image.data[to + 3] = 255;
    }
  }
  small.width = small.height = g;
  small.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = shares.length === 2;
  const half = [frame.inner.width / (g - 1) / 2, frame.inner.height / (g - 1) / 2]; // each point in the middle of its cell
  pen.drawImage(small, MARGIN.left - half[0], MARGIN.top - half[1], frame.inner.width + 2 * half[0], frame.inner.height + 2 * half[1]);
}

// Where a class is as probable as the most probable of the others: marching squares.
function boundary(pen, frame, data, shares) {
  const g = data.grid;
  pen.strokeStyle = INK;
  pen.lineWidth = 1.8;
  pen.beginPath();
  for (let k = shares.length === 2 ? 1 : 0; k < shares.length; k++) {
    const lead = leadOf(shares, k);
    for (let row = 0; row + 1 < g; row++) {
      for (let column = 0; column + 1 < g; column++) {
        const from = row * g + column, values = [lead[from], lead[from + 1], lead[from + g + 1], lead[from + g]];
        const above = (values[0] > 0) + (values[1] > 0) + (values[2] > 0) + (values[3] > 0);
        if (above === 0 || above === 4) continue;
        const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
        const cuts = [];
        for (let side = 0; side < 4; side++) {
          const a = values[side], b = values[(side + 1) % 4];
          if ((a > 0) !== (b > 0)) {
            const t = a / (a - b), [x0, y0] = corners[side], [x1, y1] = corners[(side + 1) % 4];
            cuts.push([x0 + t * (x1 - x0), y0 + t * (y1 - y0)]);
          }
        }
        for (let cut = 0; cut + 1 < cuts.length; cut += 2) {
          pen.moveTo(...onScreen(frame, g, cuts[cut]));
          pen.lineTo(...onScreen(frame, g, cuts[cut + 1]));
        }
      }
    }
  }
  pen.stroke();
}

function leadOf(shares, k) {
  return shares[k].map((share, at) => {
    let next = 0;
    for (let j = 0; j < shares.length; j++) if (j !== k && shares[j][at] > next) next = shares[j][at];
    return share - next;
  });
}

const onScreen = (frame, g, [x, y]) => [
  MARGIN.left + x / (g - 1) * frame.inner.width,
  MARGIN.top + (1 - y / (g - 1)) * frame.inner.height,
];

// Where the line w·x + b = 0 enters and leaves the picture; null if it isn't in it. Through a corner it cuts two sides in one point.
export function ends([w1, w2], b, [x0, x1], [y0, y1]) {
  const cuts = [];
  if (w2 !== 0) for (const x of [x0, x1]) { const y = -(w1 * x + b) / w2; if (y >= y0 && y <= y1) cuts.push([x, y]); }
  if (w1 !== 0) for (const y of [y0, y1]) { const x = -(w2 * y + b) / w1; if (x >= x0 && x <= x1) cuts.push([x, y]); }
  const far = cuts.find(([x, y]) => Math.abs(x - cuts[0][0]) > 1e-9 * (x1 - x0) || Math.abs(y - cuts[0][1]) > 1e-9 * (y1 - y0));
  return far ? [cuts[0], far] : null;
}

// Unit i of the first hidden layer: the line w·x + b = 0, with a tick on its positive side and its number.
function halfPlanes(pen, frame, data, view) {
  if (view.layers.length < 2) return;
  const { W, b } = view.layers[0], [x0, x1] = data.right, [y0, y1] = data.up;
  pen.setLineDash([6, 4]);
  pen.lineWidth = 1.2;
  pen.strokeStyle = pen.fillStyle = "#3c3c40";
  pen.font = "600 12px system-ui, sans-serif";
  W.forEach(([w1, w2], unit) => {
    const found = ends([w1, w2], b[unit], [x0, x1], [y0, y1]);
    if (!found) return;
    const [start, end] = found.map(([x, y]) => [frame.x(x), frame.y(y)]);
    pen.beginPath();
    pen.moveTo(...start);
    pen.lineTo(...end);
    pen.stroke();
    const share = 0.25 + 0.5 * ((unit * 0.618) % 1);
    const at = [0, 1].map((part) => start[part] + share * (end[part] - start[part]));
    const up = [w1 / frame.inner.width * (x1 - x0), -w2 / frame.inner.height * (y1 - y0)]; // at right angles to the line on the screen
    const length = Math.hypot(...up) || 1;
    pen.setLineDash([]);
    pen.beginPath();
    pen.moveTo(...at);
    pen.lineTo(at[0] + 9 * up[0] / length, at[1] + 9 * up[1] / length);
    pen.stroke();
    pen.setLineDash([6, 4]);
    pen.fillText(String(unit + 1), at[0] + 16 * up[0] / length - 4, at[1] + 16 * up[1] / length + 4);
  });
  pen.setLineDash([]);
}

function ticksOf([low, high]) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const stride = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const ticks = [];
  for (let n = Math.ceil(low / stride); n * stride <= high; n++) ticks.push(Number((n * stride).toPrecision(6)));
  return ticks;
}

function axes(pen, frame, data) {
  const bottom = MARGIN.top + frame.inner.height;
  pen.strokeStyle = "#8a8a90";
  pen.lineWidth = 1;
  pen.strokeRect(MARGIN.left, MARGIN.top, frame.inner.width, frame.inner.height);
  pen.fillStyle = "#5b5b60";
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  for (const tick of ticksOf(data.right)) pen.fillText(String(tick), frame.x(tick), bottom + 15);
  pen.textAlign = "right";
  for (const tick of ticksOf(data.up)) pen.fillText(String(tick), MARGIN.left - 5, frame.y(tick) + 4);
  pen.textAlign = "center";
  pen.fillText(data.features[0], MARGIN.left + frame.inner.width / 2, bottom + 31, frame.inner.width);
  pen.save();
  pen.translate(11, MARGIN.top + frame.inner.height / 2);
  pen.rotate(-Math.PI / 2);
  pen.fillText(data.features[1], 0, 0, frame.inner.height);
  pen.restore();
  pen.textAlign = "left";
}

// The shapes of the classes, of size 1, one for each: hues alone are not told apart by everybody.
const SHAPES = [
  "M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0Z", // circle
  "M-.88 -.88H.88V.88H-.88Z", // square
  "M0 -1.15L1.05 .8H-1.05Z", // triangle
  "M0 -1.25L1.25 0L0 1.25L-1.25 0Z", // diamond
  "M0 1.15L1.05 -.8H-1.05Z", // triangle on its tip
  "M-.4 -1.15H.4V-.4H1.15V.4H.4V1.15H-.4V.4H-1.15V-.4H-.4Z", // plus
  "M.53 -1.1L1.1 -.53L.57 0L1.1 .53L.53 1.1L0 .57L-.53 1.1L-1.1 .53L-.57 0L-1.1 -.53L-.53 -1.1L0 -.57Z", // cross
];

function examples(pen, frame, data, view) {
  const radius = data.x.length <= 20 ? 8 : data.x.length <= 400 ? 4.2 : 3;
  const shapes = data.classes.map((_, code) => {
    const path = new Path2D();
    path.addPath(new Path2D(SHAPES[code]), new DOMMatrix([radius, 0, 0, radius, 0, 0]));
    return path;
  });
  data.x.forEach((x, index) => {
    const code = data.codes[index];
    pen.save();
    pen.translate(frame.x(x), frame.y(data.y[index]));
    pen.fillStyle = data.colours[code];
    pen.fill(shapes[code]);
    pen.lineWidth = radius > 5 ? 1.5 : 0.8;
    pen.strokeStyle = "white";
    pen.stroke(shapes[code]);
    pen.restore();
  });
  const chosen = [frame.x(data.x[view.example]), frame.y(data.y[view.example])];
  for (const [colour, width] of [["white", 5], [INK, 2.2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(...chosen, radius + 5, 0, 2 * Math.PI);
    pen.stroke();
  }
}

let legendOf = null;

function legend(data, view) {
  const hidden = view.layers.length > 1;
  document.getElementById("plane-note").textContent = (hidden
    ? "Solid: where it is undecided. Dashed: hidden unit i's half-plane, w·x + b = 0 (P1), the tick on its positive side."
    : "Solid: the one line that a perceptron has (P1)." + (view.choices.data === "xor" ? " No line separates XOR (P2)." : ""));
  if (legendOf === data) return;
  legendOf = data;
  document.getElementById("legend").replaceChildren(...data.classes.map((name, code) => {
    const item = document.createElement("span");
    item.innerHTML = `<svg viewBox="-1.3 -1.3 2.6 2.6" aria-hidden="true" fill="${data.colours[code]}"><path d="${SHAPES[code]}"/></svg>`;
    item.append(`${data.target} = ${name}`);
    return item;
  }));
}

export function exampleAt(canvas, data, event) {
  const frame = frameOf(canvas, data), box = canvas.getBoundingClientRect();
  const [left, top] = [event.clientX - box.left, event.clientY - box.top];
  let nearest = 0, least = Infinity;
  data.x.forEach((x, index) => {
    const distance = Math.hypot(frame.x(x) - left, frame.y(data.y[index]) - top);
    if (distance < least) [nearest, least] = [index, distance];
  });
  return nearest;
}

export const describeData = (data, index) => `(${data.x[index]}, ${data.y[index]}), ${data.target} = ${data.classes[data.codes[index]]}`;
