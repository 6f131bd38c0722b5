// Elements from plain values; text from data only ever becomes a text node.

const DRAWING = "http://www.w3.org/2000/svg";

export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

// The same inside a drawing.
export function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(DRAWING, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Positions on bars are CSS variables set through the object model, which the content policy allows.
export function placed(element, positions) {
  for (const [name, share] of Object.entries(positions)) {
    element.style.setProperty(`--${name}`, `${(share * 100).toFixed(3)}%`);
  }
  return element;
}
