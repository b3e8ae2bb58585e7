"""What SentencePiece's own library makes of texts: encode.py FOLDER reads texts.json, and writes ids.json and decoded.json."""
import json
import sys

import sentencepiece

folder = sys.argv[1]
tokenizer = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/tokenizer.model")
with open(f"{folder}/texts.json", encoding="utf-8") as file:
    texts = json.load(file)
ids = [tokenizer.encode(text) for text in texts]
for name, values in (("ids", ids), ("decoded", [tokenizer.decode(one) for one in ids])):
    with open(f"{folder}/{name}.json", "w", encoding="utf-8") as file:
        json.dump(values, file)
