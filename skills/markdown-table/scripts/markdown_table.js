// Markdown tables whose columns line up.

const RULE_CELL = /^\s*:?-+:?\s*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

export default function run({ text, rows, path, align }) {
  if ([text, rows, path].filter((given) => given != null).length !== 1) {
    throw new TypeError("give one of text, rows and path");
  }
  const forced = align === "keep" ? null : align;
  if (rows != null) {
    return fromRows(rows, forced);
  }
  const source = (path == null ? text : skill.fs.read(path)).replace(/^\uFEFF/, "");
  return formatTables(source, forced) ?? fromCsv(source, forced);
}

function fromRows(rows, align) {
  if (rows.length === 0) {
    throw new RangeError("rows is empty: a table needs at least a row of names");
  }
  return Array.isArray(rows[0]) ? table(rows[0], rows.slice(1), align) : skill.text.table(rows, null, align);
}

function fromCsv(source, align) {
  if (source.trim() === "") {
    throw new RangeError("the text is empty: give Markdown with a table, or CSV");
  }
  const [names, ...rows] = skill.csv.parse(source, false, delimiter(source));
  if (names.length === 1) {
    throw new RangeError("there is no table in the text: give Markdown with a table, or CSV with at least two columns");
  }
  return table(names, rows, align);
}

function delimiter(source) {
  const first = source.split("\n", 1)[0];
  const marks = ["\t", ";", ","];
  return marks.find((mark) => first.includes(mark)) ?? ",";
}

// The text with every table of it formatted, or null where it has none.
function formatTables(source, align) {
  const lines = source.split(/\r?\n/);
  const out = [];
  let found = false;
  let fence = null;
  for (let at = 0; at < lines.length; at += 1) {
    fence = within(fence, lines[at]);
    const end = fence === null ? tableEnd(lines, at) : at;
    if (end === at) {
      out.push(lines[at]);
      continue;
    }
    found = true;
    const indent = lines[at].match(/^\s*/)[0];
    for (const line of format(lines.slice(at, end), align)) out.push(indent + line);
    at = end - 1;
  }
  return found ? out.join("\n") : null;
}

// The mark of the code block that a line stands in, or null outside of one.
function within(fence, line) {
  const mark = line.match(FENCE)?.[1];
  if (fence === null) return mark ?? null;
  const closes = mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark;
  return closes ? null : fence;
}

// The line after the table that begins at a line, or that line itself where none does.
function tableEnd(lines, start) {
  const names = lines[start];
  const rule = lines[start + 1];
  if (!names.includes("|") || rule === undefined || !rule.includes("-")) return start;
  const cells = split(rule);
  if (!cells.every((cell) => RULE_CELL.test(cell)) || cells.length !== split(names).length) return start;
  let end = start + 2;
  while (end < lines.length && lines[end].trim() !== "" && lines[end].includes("|")) end += 1;
  return end;
}

function format([names, rule, ...rows], forced) {
  const align = forced ?? split(rule).map(alignment);
  return table(split(names), rows.map(split), align).trimEnd().split("\n");
}

function alignment(cell) {
  const rule = cell.trim();
  if (rule.startsWith(":")) return rule.endsWith(":") && rule.length > 1 ? "center" : "left";
  return rule.endsWith(":") ? "right" : null;
}

// The cells of a line, between the bars that no backslash takes away.
function split(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(^|[^\\])\|$/, "$1");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

// A row that is longer than the names gets nameless columns, so that nothing of it is lost.
function table(names, rows, align) {
  const width = rows.reduce((most, row) => Math.max(most, row.length), names.length);
  const all = [...names, ...Array(width - names.length).fill("")];
  return skill.text.table(rows, all, align);
}
