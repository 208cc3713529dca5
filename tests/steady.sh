#!/usr/bin/env bash
# Runs a test project, or some of its classes, many times beside busy loops, and appends each result to a file.
#
#   tests/steady.sh [--times N] [--busy N] [--log FILE] PROJECT [RUNNER ARGUMENTS]
#
#   tests/steady.sh --times 5 Unit
#   tests/steady.sh --times 20 Cluster --filter-class Cluster.Orders.MailTests
#
# PROJECT is a folder below tests/, built before with `dotnet build -c Release`. The busy loops run at normal priority.
# The file (TestResults/steady.log) has one line a run: time, commit, project, arguments, outcome, seconds. Called again with
# the same commit, project and arguments, it continues where it was interrupted. Exits with 1 when a run failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

usage() {
    sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

times=10
busy=8
log="$PWD/TestResults/steady.log"
while (($# > 0)); do
    case $1 in
        --times) times=${2-}; shift 2 || usage ;;
        --busy) busy=${2-}; shift 2 || usage ;;
        --log) log=$(realpath -m "${2-}"); shift 2 || usage ;;
        -*) usage ;;
        *) break ;;
    esac
done
[[ $times =~ ^[0-9]+$ && $busy =~ ^[0-9]+$ ]] || usage
(($# > 0)) || usage
project=$1
shift
runner="tests/$project/bin/Release/net10.0/$project"
[ -x "$runner" ] || { printf 'No %s: build it with "dotnet build -c Release tests/%s".\n' "$runner" "$project" >&2; exit 2; }

mkdir -p "$(dirname "$log")"
commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- || commit+="+changes"
what="$commit $project $*"
touch "$log"

loops=()
trap '((${#loops[@]} == 0)) || kill "${loops[@]}" 2>/dev/null' EXIT
for ((i = 0; i < busy; i++)); do
    bash -c 'while :; do :; done' &
    loops+=($!)
done

done_before=$(grep -cF " $what -> " "$log")
for ((run = done_before + 1; run <= times; run++)); do
    output=$(mktemp)
    since=$SECONDS
    if "$runner" --progress off "$@" </dev/null >"$output" 2>&1; then
        outcome=passed
    else
        outcome="failed($?)"
        kept="$(dirname "$log")/steady-$project-$commit-$run.txt"
        cp "$output" "$kept"
    fi
    counts=$(sed -n 's/^ *\(total\|failed\|succeeded\|skipped\): \([0-9]*\).*/\1 \2/p' "$output" | paste -sd, -)
    rm -f "$output"
    printf '%s %s -> %s (%s) %d s\n' "$(date -u +%FT%TZ)" "$what" "$outcome" "$counts" $((SECONDS - since)) | tee -a "$log"
done

failures=$(grep -F " $what -> " "$log" | grep -cv -- "-> passed")
printf '%d of %d runs failed beside %d busy loops.\n' "$failures" "$(grep -cF " $what -> " "$log")" "$busy"
((failures == 0))
