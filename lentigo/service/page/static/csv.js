"use strict";
// Lines of cells become a CSV file that the browser saves.
window.lentigoSaveCsv = (() => {
  function cell(value) {
    // A spreadsheet runs what begins like a formula; an apostrophe makes it a text. Many
    // divide at semicolons and tabs, or at line breaks, quoted or not. The same rule, and the
    // same numbers that stay as they are, stand in lentigo/files.py.
    const text = String(value ?? "");
    const formula = /(?:^|(?<=[;\t\r\n]))(?=[\s'"]*[=+\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20])/g;
    const safe = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? text : text.replace(formula, "'");
    return `"${safe.replaceAll('"', '""')}"`;
  }

  return (lines, name) => {
    const text = lines.map((line) => line.map(cell).join(",")).join("\r\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
})();
