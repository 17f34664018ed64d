// Turns the drawings in three dimensions; all else on the page works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  addEventListener("error", (event) => { root.dataset.script = `failed: ${event.message}`; });
  addEventListener("securitypolicyviolation", (event) => { root.dataset.violation = event.violatedDirective; });

  const TURN = 0.5, TILT = 0.36, EDGE = 112, CENTRE = [230, 195];
  const numbers = (text) => text.split(",").map(Number);

  for (const figure of document.querySelectorAll("[data-cube]")) {
    const svg = figure.querySelector("svg");
    const points = svg.querySelector(".points");
    const lines = [...svg.querySelectorAll("line[data-from]")]
      .map((line) => ({ line, from: numbers(line.dataset.from), to: numbers(line.dataset.to) }));
    const places = [...svg.querySelectorAll("g[data-at]")].map((g) => ({ g, at: numbers(g.dataset.at) }));
    let turn = TURN, tilt = TILT;

    const seen = ([x, y, z]) => {
      const along = x * Math.cos(turn) + z * Math.sin(turn), away = z * Math.cos(turn) - x * Math.sin(turn);
      const up = y * Math.cos(tilt) + away * Math.sin(tilt), near = away * Math.cos(tilt) - y * Math.sin(tilt);
      return [CENTRE[0] + EDGE * along, CENTRE[1] - EDGE * up, -near];
    };
    const draw = () => {
      for (const { line, from, to } of lines) {
        const [x1, y1] = seen(from), [x2, y2] = seen(to);
        line.setAttribute("x1", x1.toFixed(1));
        line.setAttribute("y1", y1.toFixed(1));
        line.setAttribute("x2", x2.toFixed(1));
        line.setAttribute("y2", y2.toFixed(1));
      }
      const depths = [];
      for (const { g, at } of places) {
        const [x, y, near] = seen(at);
        g.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
        if (g.parentNode === points) depths.push([near, g]);
      }
      // What is nearer is drawn over what is farther.
      depths.sort((a, b) => a[0] - b[0]).forEach(([, g]) => points.append(g));
    };
    const by = (more, up) => {
      turn += more;
      tilt = Math.max(-1.5, Math.min(1.5, tilt + up));
      draw();
    };
    const reset = () => { turn = TURN; tilt = TILT; draw(); };

    svg.setAttribute("tabindex", "0");
    svg.addEventListener("keydown", (event) => {
      const step = 0.1;
      const turns = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (event.key in turns) by(...turns[event.key]);
      else if (event.key === "Home") reset();
      else return;
      event.preventDefault();
    });
    let held = null;
    svg.addEventListener("pointerdown", (event) => {
      held = [event.clientX, event.clientY];
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (!held) return;
      by((held[0] - event.clientX) * 0.01, (event.clientY - held[1]) * 0.01);
      held = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => { held = null; });

    const bar = document.createElement("div");
    bar.className = "turns";
    for (const [sign, name, act] of [
      ["←", "Turn to the left", () => by(0.26, 0)],
      ["→", "Turn to the right", () => by(-0.26, 0)],
      ["↑", "Tilt up", () => by(0, 0.26)],
      ["↓", "Tilt down", () => by(0, -0.26)],
      ["⟲", "As in the beginning", reset],
    ]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.setAttribute("aria-label", name);
      button.title = name;
      button.addEventListener("click", act);
      bar.append(button);
    }
    figure.append(bar);
    draw();
  }
  root.classList.add("scripted");
  root.dataset.script = "ready";
})();
