#!/bin/bash
# Builds with tests, runs the unit tests, then every scenario; goes on after a failure so that one run names all of them.
# The last line sums up: `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
passed=0 failed=0 skipped=0 names=()
began=$(date +%s)

$swift build -c release --build-tests --explicit-target-dependency-import-check error || { echo "the build failed"; echo "0 passed, 1 failed"; exit 1; }
echo "built in $(($(date +%s) - began)) s"

log=$(mktemp); trap 'rm -f "$log"' EXIT
if $swift test -c release --skip-build > "$log" 2>&1; then ok=1; else ok=0; fi
grep -vE '^(◇|✔) Test "|^◇ (Suite|Test)' "$log" | tail -200
counted=$(sed -nE 's/.*Test run with ([0-9]+) tests? .*/\1/p' "$log" | tail -1)
bad=$(grep -E '^✘ Test .* failed after' "$log" | grep -cv '^✘ Test run')
if [ $ok = 1 ] && [ -n "$counted" ] && [ "$counted" -gt 0 ]; then
  passed=$counted
else
  # A crash ends the run without a count: that is one failure at least.
  [ "$bad" -gt 0 ] || bad=1
  failed=$bad; [ -z "$counted" ] || passed=$((counted > bad ? counted - bad : 0)); names+=("swift test")
fi

for scenario in $(scripts/scenario.sh); do
  echo; echo "== $scenario"
  start=$(date +%s)
  timeout 900 scripts/scenario.sh "$scenario" > "$log" 2>&1; code=$?
  tail -60 "$log"
  case $code in
    0) passed=$((passed + 1)); echo "-- $scenario passed in $(($(date +%s) - start)) s" ;;
    77) skipped=$((skipped + 1)); echo "-- $scenario skipped" ;;
    *) failed=$((failed + 1)); names+=("$scenario"); echo "-- $scenario FAILED (exit code $code)" ;;
  esac
done

echo
echo "all of it took $(($(date +%s) - began)) s"
[ ${#names[@]} = 0 ] || echo "failed: ${names[*]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
