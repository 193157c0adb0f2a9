#!/bin/sh
# A study as a job array of Slurm: each task does its share, with as many threads as it has CPUs.
#
#   sbatch --array=1-16 docs/slurm.sh STUDY.toml FOLDER
#
# The folder is on a file system that all nodes see. A task that ran out of time, or whose node failed, goes on
# where it was: submit its number again (--array=3,7), with SHARDS=16 for how many there were. When all are
# through, put the results together and draw the figures:
#
#   firstspike study merge FOLDER/results_*_of_16.csv --out FOLDER/results.csv
#   firstspike run STUDY.toml --out FOLDER
#
#SBATCH --job-name=firstspike
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=08:00:00
#SBATCH --open-mode=append
# A minute before the time is over: the program ends in order, and the task with exit code 130.
#SBATCH --signal=B:TERM@60
set -eu

study=${1:?which study? sbatch --array=1-16 slurm.sh STUDY.toml FOLDER}
folder=${2:?which folder? sbatch --array=1-16 slurm.sh STUDY.toml FOLDER}
task=${SLURM_ARRAY_TASK_ID:?this is a job array: sbatch --array=1-16}
shards=${SHARDS:-${SLURM_ARRAY_TASK_COUNT:?this is a job array: sbatch --array=1-16}}

# `exec`, so that the signal reaches the program.
exec firstspike run "$study" --shard "$task/$shards" --threads "${SLURM_CPUS_PER_TASK:-1}" --out "$folder"
