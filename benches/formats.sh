#!/usr/bin/env bash
# How fast traces are read and written, and in how much memory: 10^7 spikes of two populations, beside the plain
# copy of the same files by the disk. A trace is converted to its own format, so each byte is read once and
# written once, as `cp` does; both end with `sync`. The median of three.
#
#   cargo build --release && benches/formats.sh target/release/firstspike [FOLDER]
#
# Needs /usr/bin/time (Debian: time). The folder, by default a temporary one, takes about 2 GB.
set -euo pipefail
program=$(realpath "$1")
work=$(mktemp -d --tmpdir="${2:-${TMPDIR:-/tmp}}")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir a b c
awk 'BEGIN { srand(1); t = 0; print "sample,population,neuron,time_ms"
    for (i = 0; i < 1e7; i++) { t += 0.001 * rand(); e = rand() < 0.8
        printf "0,%s,%d,%.9f\n", e ? "exc" : "inh", (e ? 8000 : 2000) * rand(), t } }' > a/spikes.csv

# Seconds of three runs, the median; and the most memory that a run took, in MB.
median() {
    for _ in 1 2 3; do
        sync
        /usr/bin/time -f '%e %M' -o log sh -c "$1 && sync"
        tail -n 1 log
    done | sort -n | sed -n 2p
}

for file in spikes.csv times.npy spikes.h5 spikes.gdf; do
    [ -e "a/$file" ] || "$program" convert a/spikes.csv "a/$file" > /dev/null
    case $file in
        times.npy) files='a/times.npy a/neurons.npy'; more='--time-unit ms' ;;
        *) files=a/$file; more= ;;
    esac
    # Ids stay as they are.
    rm -f a/*.ids.csv
    read -r copy _ < <(median "cp $files c")
    read -r own memory < <(median "$program convert a/$file b/$file $more > /dev/null")
    bytes=$(cat $files | wc -c)
    echo "$file $bytes $copy $own $memory" | awk '{ printf "%-11s %4d MB  cp %5.2f s  convert %5.2f s  speed %3.0f %% of cp  peak %4d MB\n",
        $1, $2 / 1e6, $3, $4, 100 * $3 / $4, $5 / 1024 }'
done
