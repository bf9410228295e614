// Counts of a text, as a reader has them.

// The end of a sentence: marks of several scripts, then closing quotes, then space or the end of the text.
const SENTENCE_END = /[.!?…。！？؟।]+["'”’»)\]]*(?=\s|$)|[。！？]+/gu;
const SAID = /[\p{L}\p{N}]/u;

export default function run({ text, path, top, words_per_minute }) {
  if ((text == null) === (path == null)) {
    throw new TypeError("give either text, or path with the name of a file");
  }
  const whole = path == null ? text : skill.fs.read(path);
  const words = skill.text.words(whole);
  const lines = splitLines(whole);
  const lengths = lines.map(countCharacters);
  const letters = words.reduce((sum, word) => sum + countCharacters(word), 0);
  const counts = count(words.map((word) => word.toLowerCase()));
  return {
    characters: countCharacters(whole),
    characters_without_spaces: countCharacters(whole.replace(/\s+/gu, "")),
    words: words.length,
    distinct_words: counts.size,
    sentences: whole.split(SENTENCE_END).filter((piece) => SAID.test(piece)).length,
    lines: lines.length,
    paragraphs: whole.split(/(?:\r?\n[ \t]*){2,}/u).filter((piece) => piece.trim() !== "").length,
    longest_line: lengths.reduce((most, length) => Math.max(most, length), 0),
    average_word_length: words.length === 0 ? 0 : round(letters / words.length, 2),
    reading_seconds: Math.ceil((words.length * 60) / words_per_minute),
    top_words: ranked(counts).slice(0, top).map(([word, number]) => ({ word, count: number })),
  };
}

// Characters of Unicode, not the UTF-16 units that `length` counts.
function countCharacters(text) {
  let number = 0;
  for (const _ of text) number += 1;
  return number;
}

// A line break at the end ends the last line rather than begin an empty one.
function splitLines(text) {
  const lines = text.split(/\r\n|\n|\r/u);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function count(words) {
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

// The most frequent first; of equals, the one that came first.
function ranked(counts) {
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function round(number, digits) {
  return Number(number.toFixed(digits));
}
