"use strict";
// With several models only the thresholds of the chosen one are offered.
window.lentigoOfferPoints = () => {
  const [points, model] = [document.getElementById("operating_point"), document.getElementById("model")];
  if (!points || !model) return;
  const show = () => {
    for (const group of points.querySelectorAll("optgroup")) {
      const own = group.dataset.model === model.value;
      group.hidden = group.disabled = !own;
      if (!own && group.contains(points.selectedOptions[0])) points.value = "auto";
    }
  };
  model.addEventListener("input", show);
  show();
};
