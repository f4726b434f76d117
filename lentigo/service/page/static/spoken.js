"use strict";
// The worklist in another language, in place: the page holds itself in all of them, in
// elements `template`, and only its words are exchanged. Files, fields and rows stay.
window.lentigoSpeak = (() => {
  const SPOKEN = ["aria-label", "alt", "href", "label", "title"];

  function words(root) {
    // Texts and attributes in the page's language, in their order. What a script fills while
    // it reads stands below [data-live], and is filled anew by it.
    return [...root.childNodes].flatMap((node) => {
      if (node.nodeType === Node.TEXT_NODE) return node.data.trim() ? [node] : [];
      if (node.nodeType !== Node.ELEMENT_NODE || node.tagName === "TEMPLATE") return [];
      const own = SPOKEN.map((name) => node.getAttributeNode(name)).filter(Boolean);
      return "live" in node.dataset ? own : [...own, ...words(node)];
    });
  }

  return (code) => {
    const other = document.querySelector(`template[data-language="${code}"]`);
    if (!other) return false;
    const [here, there] = [words(document.body), words(other.content)];
    if (here.length !== there.length) return false;
    here.forEach((word, place) => {
      [word.nodeValue, there[place].nodeValue] = [there[place].nodeValue, word.nodeValue];
    });
    const body = document.body.dataset;
    const before = { language: body.language, texts: body.texts, title: document.title };
    Object.assign(body, { language: code, texts: other.dataset.texts });
    document.title = other.dataset.title;
    document.documentElement.lang = code;
    Object.assign(other.dataset, before);
    for (const link of document.querySelectorAll(".languages a")) {
      if (link.hreflang === code) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    history.replaceState(history.state, "", `?lang=${code}`);
    return true;
  };
})();
