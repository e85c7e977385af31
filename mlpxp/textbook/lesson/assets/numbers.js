// One example's numbers as small tables, a card for each equation.
export function short(value) {
  if (value === null) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return (size >= 1e5 || size < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)))).replace("-", "−");
}

const made = (tag, name, text = "") => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
};

// W_1 as W with a small 1 below it.
export function written(text) {
  const span = document.createElement("span");
  for (const [index, part] of text.split(/_([0-9A-Za-z]+)/).entries()) {
    span.append(index % 2 ? made("sub", "", part) : part.replaceAll("delta", "δ"));
  }
  return span;
}

export function drawNumbers(box, numbers) {
  const names = numbers.map(({ name, shape, equation }) => `${name} ${shape} ${equation}`).join(";");
  if (box.dataset.names !== names) {
    box.dataset.names = names;
    box.replaceChildren(...numbers.map(card));
  }
  numbers.forEach(({ values }, index) => {
    const cells = box.children[index].querySelectorAll("td");
    values.flat().forEach((value, at) => {
      const cell = cells[at], full = String(value);
      if (cell.dataset.value !== full) {
        cell.dataset.value = cell.title = full;
        cell.textContent = short(value);
      }
    });
  });
}

function card({ name, tag, equation, shape, values }) {
  const element = made("div", "quantity");
  element.dataset.name = name;
  const head = made("h3");
  head.append(written(name.replace(/(\d+)$/, "_$1")), made("span", "shape", shape.length ? `${shape[0]} × ${shape[1]}` : ""));
  if (tag) head.append(made("span", "tag", tag));
  const line = made("p", "equation");
  line.append(written(equation));
  const matrix = made("div", "matrix");
  const table = made("table");
  table.append(...values.map((row) => { const line = made("tr"); line.append(...row.map(() => made("td"))); return line; }));
  matrix.append(table);
  if (values[0].length > 4) matrix.tabIndex = 0; // it can be scrolled by keyboard
  element.append(head, line, matrix);
  return element;
}
