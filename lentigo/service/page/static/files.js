"use strict";
// What was chosen for the worklist, file by file: pictures of folders and of zips, what is no
// picture, and which pictures are of one lesion. Nothing is left out without being counted.
window.lentigoFiles = (() => {
  const MOST_FILES = 5000;
  const ENDINGS = /\.(jpe?g|jpe|jfif|png|tiff?|bmp|webp|ppm|avif|hei[cf]|dcm|dicom)$/i;
  // What systems put beside files, and folders of a zip: nobody chose them.
  const UNCHOSEN = /(^|\/)(__MACOSX\/|\.[^/]*$|Thumbs\.db$|desktop\.ini$|DICOMDIR$)|\/$/i;
  const DICOM = 132; // bytes of preamble and mark of a DICOM file, which needs no ending
  const DAMAGED = "why_packed";

  async function isDicom(blob) {
    const head = new Uint8Array(await blob.slice(DICOM - 4, DICOM).arrayBuffer());
    return String.fromCharCode(...head) === "DICM";
  }

  function entries(bytes) {
    // The list at the end of a zip says where each file begins.
    let end = bytes.byteLength - 22;
    const first = Math.max(0, end - 65535);
    while (end >= first && bytes.getUint32(end, true) !== 0x06054b50) end -= 1;
    if (end < first) throw new Error("zip");
    const count = bytes.getUint16(end + 10, true);
    let place = bytes.getUint32(end + 16, true);
    if (count === 0xffff || place === 0xffffffff) throw new Error("zip"); // ZIP64
    const found = [];
    for (let nth = 0; nth < count; nth += 1) {
      if (bytes.getUint32(place, true) !== 0x02014b50) throw new Error("zip");
      const [secret, method] = [bytes.getUint16(place + 8, true) & 1, bytes.getUint16(place + 10, true)];
      const [packed, size] = [bytes.getUint32(place + 20, true), bytes.getUint32(place + 24, true)];
      const [named, extra, said, at] = [bytes.getUint16(place + 28, true), bytes.getUint16(place + 30, true), bytes.getUint16(place + 32, true), bytes.getUint32(place + 42, true)];
      const name = spelled(new Uint8Array(bytes.buffer, place + 46, named));
      place += 46 + named + extra + said;
      found.push({ name, method: secret ? -1 : method, packed, size, at });
    }
    return found;
  }

  function spelled(bytes) {
    // Other letters than UTF-8 stay apart from each other: two names never become one.
    let name;
    try {
      name = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      name = new TextDecoder("windows-1252").decode(bytes);
    }
    return name.replaceAll("\\", "/"); // as some programs of Windows write them
  }

  function content(bytes, entry) {
    const start = entry.at + 30 + bytes.getUint16(entry.at + 26, true) + bytes.getUint16(entry.at + 28, true);
    return new Blob([new Uint8Array(bytes.buffer, start, entry.packed)]);
  }

  async function unpacked(blob, method, size, most = Infinity) {
    if (method === 0) return blob;
    if (method !== 8) throw new Error("method");
    const reader = blob.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const parts = [];
    let length = 0;
    while (length < most) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > size) throw new Error("size"); // more than it says: a bomb
      parts.push(value);
    }
    if (length >= most) reader.cancel().catch(() => {});
    return new Blob(parts);
  }

  async function unzip(file, limit, found, left) {
    const bytes = new DataView(await file.arrayBuffer());
    for (const entry of entries(bytes)) {
      const { name, method, size } = entry;
      if (UNCHOSEN.test(name)) continue;
      try {
        const packed = content(bytes, entry);
        const known = ENDINGS.test(name) || (await isDicom(await unpacked(packed, method, size, DICOM)));
        if (!known) left.push(name);
        else if (size > limit) found.push({ name, file: new Blob(), bad: "why_too_large" });
        else if (found.length >= MOST_FILES) found.push({ name, file: null, bad: "" });
        else found.push({ name, file: await unpacked(packed, method, size), bad: "" });
      } catch {
        if (ENDINGS.test(name)) found.push({ name, file: new Blob(), bad: DAMAGED });
        else left.push(name);
      }
    }
  }

  async function listed(files, limit) {
    // The pictures that are read, those beyond the number that a list holds, and the rest.
    const [found, left] = [[], []];
    for (const file of files) {
      const name = file.webkitRelativePath || file.name;
      if (UNCHOSEN.test(name)) continue;
      if (/\.zip$/i.test(name)) await unzip(file, limit, found, left);
      else if (!ENDINGS.test(name) && !(await isDicom(file))) left.push(name);
      else found.push({ name, file, bad: file.size > limit ? "why_too_large" : "" });
    }
    const beyond = found.splice(MOST_FILES);
    found.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    return { found, left, beyond: beyond.length, most: MOST_FILES };
  }

  function kinds(names, other) {
    // Endings and how often each is there; a name may name a patient, an ending hardly.
    const counts = new Map();
    for (const name of names) {
      const [ending] = /\.[a-z0-9]{1,5}$/i.exec(name) || [other];
      counts.set(ending.toLowerCase(), (counts.get(ending.toLowerCase()) || 0) + 1);
    }
    const most = [...counts].sort((a, b) => b[1] - a[1]);
    const rest = most.slice(6).reduce((sum, each) => sum + each[1], 0);
    return [...most.slice(0, 6), ...(rest ? [["…", rest]] : [])].map(([kind, count]) => `${kind} ${count}`).join(", ");
  }

  function rooted(found) {
    // One first folder of all is the patient where three levels are there: PATIENT/LESION/
    // picture. Where there are more, or it is the only folder, it holds the patients.
    const paths = found.map((each) => each.name.split("/"));
    const depths = paths.map((each) => each.length);
    if (Math.min(...depths) < 2 || new Set(paths.map((each) => each[0])).size > 1) return 0;
    return Math.max(...depths) === 3 ? 0 : 1;
  }

  function grouped(found, most, bytes) {
    // PATIENT/LESION/picture: the last two folders; else each picture is a lesion of its own.
    const root = found.length ? rooted(found) : 0;
    const patients = new Map();
    found.forEach((each, number) => {
      const path = each.name.split("/").slice(root, -1);
      const patient = path.length > 0 ? path[0] : `\0${number}`;
      const lesion = path.length > 1 ? path.slice(1).join("/") : `\0${number}`;
      if (!patients.has(patient)) patients.set(patient, new Map());
      const lesions = patients.get(patient);
      if (!lesions.has(lesion)) lesions.set(lesion, []);
      lesions.get(lesion).push({ ...each, number: number + 1 });
    });
    // A lesion of more pictures than the service takes at once is asked for in parts.
    const groups = [];
    [...patients.values()].forEach((lesions, patient) => {
      [...lesions.values()].forEach((pictures, lesion) => {
        groups.push({ patient: patient + 1, lesion: lesion + 1, pictures, parts: parts(pictures.filter((each) => !each.bad), most, bytes) });
      });
    });
    return groups;
  }

  function parts(pictures, most, bytes) {
    const found = [];
    let size = Infinity;
    for (const each of pictures) {
      if (size + each.file.size > bytes || found.at(-1).length >= most) {
        found.push([]);
        size = 0;
      }
      found.at(-1).push(each);
      size += each.file.size;
    }
    return found;
  }

  function reasons(sent, images) {
    // Each reason of the answers, and the numbers of the pictures that it is about.
    const by = new Map();
    images.forEach((each, place) => {
      if (each.reason) by.set(each.reason, [...(by.get(each.reason) || []), sent[place].number]);
    });
    return [...by];
  }

  // Marks that nobody sees, or that turn the order of the letters around, are written out: a
  // name, and those after it, would be read as others.
  const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
  const visible = (name) => name.replace(HIDDEN, (mark) => `\\u${mark.codePointAt(0).toString(16).padStart(4, "0")}`);

  function thumbnail(urls, names, enlarge) {
    // The first picture that the browser can show: DICOM and HEIC it cannot. Else its name.
    const image = document.createElement("img");
    image.loading = "lazy";
    let place = -1;
    const next = () => {
      place += 1;
      if (place === urls.length) return image.replaceWith(names[0]);
      image.alt = `${names[place]}: ${enlarge}`;
      image.src = urls[place];
      return null;
    };
    image.addEventListener("error", next);
    next();
    return image;
  }

  return { listed, grouped, kinds, reasons, visible, thumbnail };
})();
