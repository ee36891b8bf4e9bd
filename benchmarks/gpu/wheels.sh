#!/usr/bin/env bash
# Collects, in benchmarks/gpu/carried/, what a machine with a GPU lacks: wheels, and the text as token files.
#   bash benchmarks/gpu/wheels.sh [PYTHON-VERSION, by default 3.12] [FURTHER-PACKAGE ...]
# torch, triton, pytorch-lightning, numpy, scipy, pyyaml, tokenizers, tqdm and safetensors are expected there.
# Of the packages with kernels liger-kernel comes along by itself. The compiler that sonic-moe needs is larger than the
# room, and there are no wheels of scattermoe and megablocks: those have to be installed there.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${1:-3.12}
bin=.venv/bin
carried=benchmarks/gpu/carried
room=$((40 * 1024 * 1024))
platforms=(any manylinux1_x86_64 manylinux2014_x86_64)
for libc in 17 24 27 28 31 34 35 39; do # pip takes each by its very name
    platforms+=("manylinux_2_${libc}_x86_64")
done

collect() { # one package without what it needs; fails where there is no wheel of it
    "$bin/pip" download --quiet --no-deps --only-binary=:all: --dest "$carried" --python-version "$python" \
        --implementation cp --abi "cp${python//./}" --abi abi3 --abi none "${platforms[@]/#/--platform=}" "$1"
}

mkdir -p "$carried"
rm -f "$carried"/*.whl
for package in jsonargparse docstring_parser typeshed_client; do
    collect "$(grep -i "^$package==" requirements.lock)"
done
for package in liger-kernel "${@:2}"; do
    collect "$package" || echo "left out: $package: no wheel for Python $python on Linux, x86-64"
done
size=$(du --bytes --total "$carried"/*.whl | tail -1 | cut -f1)
echo "$carried: wheels of $((size / 1024)) KiB"
if [ "$size" -gt "$room" ]; then
    echo "larger than $((room / 1024)) KiB: name fewer packages" >&2
    exit 2
fi
"$bin/python" -m benchmarks.gpu.text
