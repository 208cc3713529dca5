// Reads lines of JSON from standard input, {"file": …, "fields": {NAME: {"selector": …, "attribute": … or null, "all": …}}}, and
// prints for each the values that the fields have in that file: {"file": …, "fields": {NAME: value, null or a list}}.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { load } from "cheerio";

for await (const line of createInterface({ input: process.stdin })) {
  const { file, fields } = JSON.parse(line);
  const page = load(readFileSync(file, "utf8"));
  const values = Object.entries(fields).map(([name, { selector, attribute, all }]) => {
    const found = page(selector)
      .toArray()
      .map((element) => (attribute ? page(element).attr(attribute) : collapsed(page(element).text())))
      .filter((value) => value !== undefined);
    return [name, all ? found : (found[0] ?? null)];
  });
  console.log(JSON.stringify({ file, fields: Object.fromEntries(values) }));
}

// White space as HTML has it: a no-break space is a character.
function collapsed(text) {
  return text.replace(/[ \t\n\f\r]+/g, " ").replace(/^ | $/g, "");
}
