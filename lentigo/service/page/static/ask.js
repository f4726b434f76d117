"use strict";
// A request to the service, which is sent again while it has too much to do.
window.lentigoAsk = async (body, problem) => {
  const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  for (let tries = 0; tries < 60; tries += 1) {
    const answer = await fetch("/v1/predictions", { method: "POST", body });
    if (answer.status === 503) {
      await pause(Number(answer.headers.get("retry-after")) || 1);
      continue;
    }
    const said = await answer.json();
    if (answer.ok) return said;
    // A wrong choice, or no key: the pictures are not at fault, and the list stays.
    const choice = answer.status === 401 || answer.status === 403 || (said.field && !["images", "before"].includes(said.field));
    throw Object.assign(new Error(said.detail), { choice, stale: said.field === "before" });
  }
  throw new Error(problem);
};
// A model that compares the lesions of a patient answered for each by itself: they come one
// by one. The notes of all of them are answered for together; true if that failed for some.
window.lentigoCompared = async (rows, ask) => {
  const patients = new Map();
  for (const each of rows.filter((one) => one.note)) patients.set(each.patient, [...(patients.get(each.patient) || []), each]);
  let alone = false;
  for (const own of patients.values()) {
    if (own.length < 2) continue;
    try {
      const said = await ask({ patient: own[0].patient, lesion: "" }, [], own.map((each) => each.note));
      for (const found of said.lesions) {
        const each = own.find((one) => String(one.lesion) === found.lesion);
        Object.assign(each, { probability: found.probability, call: each.quiet && found.call !== "melanoma" ? "" : found.call });
        delete each.line;
      }
    } catch {
      alone = true;
    }
  }
  return alone;
};
