// The page: says what was chosen, shows what the server has computed. It computes nothing of the network itself.
import { drawPlane, exampleAt, describeData } from "./plane.js";
import { drawCurve, drawNetwork } from "./drawings.js";
import { drawNumbers, short } from "./numbers.js";

const id = (name) => document.getElementById(name);
const form = id("controls");
const socket = new WebSocket(`ws://${location.host}/socket`);
let data = null; // the examples
let view = null; // the lesson
let scheduled = false;

const say = (word, value = null) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ [word]: value }));
};
const complain = (text) => { id("error").textContent = text; id("error").hidden = !text; };
const count = (number) => number.toLocaleString("en");

socket.onmessage = (event) => {
  const message = JSON.parse(event.data);
  if ("error" in message) { complain(message.error); if (view) fill(view, true); return; }
  if (message.examples) data = message.examples;
  if (!view || message.running !== view.running || !message.running) complain(message.trouble);
  view = message;
  if (!scheduled) { scheduled = true; requestAnimationFrame(draw); }
};
socket.onclose = () => complain("The lesson has ended: its server was stopped. Start mlpxp lesson again, and load this page anew.");

function draw() {
  scheduled = false;
  drawPlane(id("plane"), data, view);
  drawNetwork(id("network"), view, data);
  drawCurve(id("curve"), view.curve);
  drawNumbers(id("numbers"), view.numbers);
  fill(view, false);
  document.body.dataset.frame = view.frame;
  const frame = view.frame;
  setTimeout(() => say("drawn", frame)); // after the browser has painted
}

function fill(view, anew) {
  const { choices, counter } = view;
  text("right", `${count(view.right)} of ${count(view.m)}`);
  text("cost", view.cost === null ? "not finite" : short(view.cost));
  text("epoch", count(view.epoch) + (view.step ? ` and ${view.step} of ${view.steps} steps` : ""));
  if (!view.running) text("said", id("status").textContent); // read aloud once it rests
  text("run", view.running ? "Pause" : "Run");
  text("step-note", view.steps === 1 ? "A step takes all examples, and so is an epoch." : `An epoch has ${count(view.steps)} steps.`);
  id("own").disabled = !view.own;
  for (const [name, value] of Object.entries(choices)) {
    const control = form.elements[name];
    if (control && (anew || control !== document.activeElement || control.tagName === "SELECT")) control.value = value;
  }
  id("pace").value = view.pace;
  fillWidths(choices.widths, anew);
  const box = id("example");
  box.max = view.m;
  if (anew || box !== document.activeElement) box.value = view.example + 1;
  text("which", `of ${count(view.m)}: ${describeData(data, view.example)}`);
  text("counter", `${count(counter.parameters)} parameters, ${count(counter.batch)} example${counter.batch > 1 ? "s" : ""} a step. ` +
    `One gradient by backpropagation: ${count(counter.backpropagation)} operations, one forward and one backward pass (K1).` +
    (counter.naive === null ? "" : ` By naive differentiation: ${count(counter.naive)}, ${count(counter.passes)} forward passes, ` +
      `${(counter.naive / counter.backpropagation).toFixed(1)} times as many.`));
  text("total", count(counter.total));
  text("delay", view.delay === null ? "" : `The picture before this one was on the screen ${view.delay} ms after its network was computed.`);
  id("delay").dataset.ms = view.delay ?? "";
}

function text(name, value) { if (id(name).textContent !== value) id(name).textContent = value; }

function fillWidths(widths, anew) {
  const box = id("widths");
  id("layers").value = widths.length;
  if (box.children.length !== widths.length) {
    box.replaceChildren(...widths.map((_, index) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "number", min: 1, max: 16, step: 1, inputMode: "numeric" });
      input.setAttribute("aria-label", `Units of hidden layer ${index + 1}`);
      label.append(`n${"₁₂₃₄"[index]} `, input);
      return label;
    }));
  }
  widths.forEach((width, index) => {
    const input = box.children[index].lastChild;
    if (anew || input !== document.activeElement) input.value = width;
  });
}

const choose = (changes) => { complain(""); say("choose", changes); };
const widths = () => [...id("widths").querySelectorAll("input")].map((input) => Number(input.value));

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", ({ target }) => {
  if (target.id === "layers") {
    const before = widths();
    choose({ widths: Array.from({ length: Number(target.value) }, (_, index) => before[index] ?? before.at(-1) ?? 4) });
  } else if (target.closest("#widths")) {
    choose({ widths: widths() });
  } else if (target.id === "pace") {
    say("pace", Number(target.value));
  } else if (target.name) {
    const isNumber = target.type === "number" || target.name === "batch_size";
    choose({ [target.name]: isNumber ? Number(target.value) : target.value });
  }
});
id("step").onclick = () => say("step");
id("epoch-button").onclick = () => say("epoch");
id("run").onclick = () => say(view && view.running ? "pause" : "run");
id("reset").onclick = () => say("reset");
id("before").onclick = () => say("example", (view.example + view.m - 1) % view.m);
id("after").onclick = () => say("example", (view.example + 1) % view.m);
id("example").onchange = ({ target }) => say("example", Math.round(Number(target.value)) - 1);
id("plane").onclick = (event) => say("example", exampleAt(id("plane"), data, event));
id("use").onclick = () => { complain(""); say("table", id("table").value); };
id("file").onchange = async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  if (file.size > 200000) { complain("your CSV must have at most 200 kB"); return; }
  id("table").value = await file.text();
  complain("");
  say("table", id("table").value);
  target.value = "";
};
new ResizeObserver(() => { if (view) drawPlane(id("plane"), data, view); }).observe(id("plane"));
