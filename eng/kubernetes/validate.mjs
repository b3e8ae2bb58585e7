// Reads objects for Kubernetes as YAML from standard input, and prints a line for each that its schema does not take. The schemas are those of
// Kubernetes, of KEDA and of the Prometheus operator: compiled JSON schemas for types, formats and what is required, and types of TypeScript for fields
// that are not known, which JSON schemas of Kubernetes let pass.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parseAllDocuments } from "yaml";

const folder = dirname(fileURLToPath(import.meta.url));

const packageOf = (group) =>
  group === "keda.sh" ? "@kubernetes-models/keda" : group === "monitoring.coreos.com" ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";

const moduleOf = ({ apiVersion, kind }) => `${packageOf(apiVersion.includes("/") ? apiVersion.split("/")[0] : "")}/${apiVersion}/${kind}`;

const nameOf = (object) => `${object.kind}/${object.metadata?.name}`;

/** What the JSON schema says against an object; null if nothing. */
async function check(object) {
  let model;
  try {
    model = (await import(moduleOf(object)))[object.kind];
  } catch {
    return `there is no schema of ${object.apiVersion} ${object.kind}`;
  }
  try {
    new model(object).validate();
    return null;
  } catch (error) {
    return error.message;
  }
}

/** What the compiler says of the objects as literals of their types, a line an object. */
function checkTypes(objects) {
  const file = join(folder, "objects.ts");
  const source = objects
    .map((object, i) => `export const object${i}: import("${moduleOf(object)}").I${object.kind} = ${JSON.stringify(object)};`)
    .join("\n");
  const options = { noEmit: true, strict: true, skipLibCheck: true, types: [], module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest));
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? source : readFile(name));
  return ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)).map((found) => {
    const line = found.file === undefined ? -1 : found.file.getLineAndCharacterOfPosition(found.start).line;
    const text = ts.flattenDiagnosticMessageText(found.messageText, " ");
    return line < 0 || found.file.fileName !== file ? text : `${nameOf(objects[line])}: ${text}`;
  });
}

const objects = [];
for (const document of parseAllDocuments(readFileSync(0, "utf8"))) {
  if (document.errors.length > 0) throw document.errors[0];
  const object = document.toJS();
  if (object !== null) objects.push(object);
}
const faults = [];
const rest = []; // what has one fault needs no second for it
for (const object of objects) {
  const fault = await check(object);
  if (fault === null) rest.push(object);
  else faults.push(`${nameOf(object)}: ${fault}`);
}
faults.push(...checkTypes(rest));
for (const fault of faults) console.log(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
