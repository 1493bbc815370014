#!/bin/sh
# Kills the server in the middle of a large import and of the making of files, 200 times each on each database or as often as is
# said, and counts what is there afterwards: `tests/kills.sh [TIMES]`. The ordinary tests do it 30 times and 10 times.
set -eu
cd "$(dirname "$0")/.."
ORGDESK_TEST_KILLS="${1:-200}" exec cargo test --test it -- imports_kill extractions_kill --nocapture --test-threads=1
