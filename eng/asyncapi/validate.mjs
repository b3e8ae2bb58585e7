// Parses an AsyncAPI document with AsyncAPI's own parser, and prints a line for each error or warning: where it is in the file, what it is about, what is wrong.
// Remarks of less weight are left out: they are about taste (contacts, tags, licenses). Exit code 1 if there is a line.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const [file] = process.argv.slice(2);
const warning = 1; // an error is 0

let text;
try {
  text = readFileSync(file, "utf8");
} catch (error) {
  console.error(`validate-asyncapi.sh: ${file} can't be read: ${error.message}`);
  process.exit(2);
}

const { document, diagnostics } = await new Parser().parse(text, { source: file });
const faults = diagnostics.filter((found) => found.severity <= warning);
for (const { range, path, message, code } of faults) {
  console.log(`${file}:${range.start.line + 1}: ${path.join(".")}: ${message} (${code})`);
}
if (!document && faults.length === 0) console.log(`${file}: it can't be parsed`);
process.exitCode = faults.length > 0 || !document ? 1 : 0;
