#!/usr/bin/env bash
# Makes the SentencePiece models in this folder and their reference encodings, with Debian's package sentencepiece (0.1.97) and python3.
# The flags are those of Llama 2 and of Gemma; vocabularies are small and the corpus is the file beside this script.
set -euo pipefail
cd "$(dirname "$0")"
common=(--input=corpus.txt --model_type=bpe --byte_fallback=true --split_digits=true --character_coverage=0.98 --normalization_rule_name=identity
  --remove_extra_whitespaces=false --allow_whitespace_only_pieces=true --num_threads=1 --minloglevel=2)
spm_train "${common[@]}" --model_prefix=llama2 --vocab_size=520 --add_dummy_prefix=true
spm_train "${common[@]}" --model_prefix=gemma --vocab_size=530 --add_dummy_prefix=false --pad_id=0 --eos_id=1 --bos_id=2 --unk_id=3 \
  --pad_piece='<pad>' --bos_piece='<bos>' --eos_piece='<eos>' --control_symbols='<start_of_turn>,<end_of_turn>' --user_defined_symbols='▁▁,▁▁▁,▁▁▁▁,<b>'
spm_train --input=corpus.txt --model_type=bpe --vocab_size=200 --character_coverage=0.98 --normalization_rule_name=identity --model_prefix=plain --num_threads=1 --minloglevel=2
rm -f ./*.vocab
python3 - <<'P'
import json, subprocess
texts = ["Hello world", "The quick brown fox", "  two before", "two behind  ", "     spaces     run", "a", " ", "   ", "tab\there", "12 345 3.14", "größer über",
    "日本語の狐", "今天天气很好", "오늘은 좋습니다", "الكلب", "лиса прыгает", "🙂", "a🙂b👍🏽 👩‍👩‍👧‍👦", "𠮷野家", "<b>bold</b>", "x▁y", "<0x41> <s> <unk> <bos>", "ab\u00a0c\u2003d", "e\u0301 ﬁ İ",
    "    return left + right", "it's I'M we'll", "if (total > limit) { return 0; }", "jumpsjumpsjumpsjumps", "Ünïcödé 漢字 ½²", "<start_of_turn>user", "q"]
for name in ["llama2", "gemma", "plain"]:
    run = lambda tool, text, *options: subprocess.run([tool, f"--model={name}.model", *options], input=text, capture_output=True, text=True, check=True).stdout
    cases = []
    for text in texts:
        ids = run("spm_encode", text + "\n", "--output_format=id").strip()
        decoded = run("spm_decode", ids + "\n", "--input_format=id")[:-1]
        cases.append({"text": text, "ids": [int(id) for id in ids.split()], "decoded": decoded})
    with open(f"{name}.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")
P
