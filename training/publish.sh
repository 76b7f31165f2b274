#!/bin/sh
# Publishes a checkpoint: the pack with its evaluation, and the parity fixtures that the tests compare with. About two minutes.
#   sh training/publish.sh BUILD TITLES     (BUILD has what teacher.py, distil.py and static_tier.py wrote; TITLES is product_titles.tsv.gz)
set -eu
build=$(realpath "$1")
titles=$(realpath "$2")
cd "$(dirname "$0")"
export OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1
python=${PYTHON:-python3}
"$python" export.py --data "$build" --out ../models/encoder-en
"$python" parity.py --pack ../models/encoder-en --titles "$titles" --out ../test/parity
