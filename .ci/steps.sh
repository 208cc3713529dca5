# Shared by .ci/run and .ci/long, which source it: timed steps, checks, test runs, and the closing count.
# A test run is counted by the reports it leaves; the exit code of its command has to agree with them.

# A signal that whoever started this ignores, as a background job of a script ignores SIGINT, would be ignored by the consoles
# that the tests start, and Ctrl-C is one of the tests.
if [ -z "${CI_SIGNALS:-}" ] && env --default-signal=INT true 2>/dev/null; then
    exec env --default-signal=INT --default-signal=QUIT CI_SIGNALS=default bash ".ci/${0##*/}" "$@"
fi

# In CI a missing server or tool is a failure: the tests that need one look at this.
export CI="${CI:-true}"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# No build server outlives the run, and none of an earlier run is used: the compilers of this run share a server of its own.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=true SharedCompilationId="ci-$$"
trap 'pkill -f -- "-pipename:$SharedCompilationId" || :' EXIT

readonly reports="$PWD/TestResults/${reports_name:-ci}"
rm -rf "$reports"
mkdir -p "$reports"

passed=0
failed=0
skipped=0
steps=()
step_name=""
step_since=0

# Begins a step, and ends the one before it.
step() {
    end_step
    step_name=$*
    step_since=$SECONDS
    printf '\n== %s (after %d s)\n' "$*" "$SECONDS"
}

end_step() {
    [ -z "$step_name" ] || steps+=("$(minutes $((SECONDS - step_since)))  $step_name")
    step_name=""
}

minutes() { printf '%2d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Runs a command that is no test runner. It counts as one check.
check() {
    local code=0
    step "$*"
    "$@" </dev/null || code=$?
    count_check "$code" "$*"
}

# Counts a check by the exit code of its command.
count_check() {
    if (($1 == 0)); then
        passed=$((passed + 1))
    else
        printf 'Failed with %d: %s\n' "$1" "$2"
        failed=$((failed + 1))
    fi
}

# Begins a check that goes on beside the steps that follow, as soon as its output has a line that matches, or it has ended:
# its name, the pattern, the command. end_check waits for it, prints what it said and counts it.
declare -A beside=()
begin_check() {
    local name=$1 pattern=$2
    shift 2
    step "$*"
    "$@" </dev/null >"$reports/$name.log" 2>&1 &
    beside[$name]=$!
    until grep -qE "$pattern" "$reports/$name.log" || ! kill -0 "${beside[$name]}" 2>/dev/null; do
        sleep 0.2
    done
}

end_check() {
    local code=0
    step "the rest of $1"
    wait "${beside[$1]}" || code=$?
    cat "$reports/$1.log"
    count_check "$code" "$1"
}

# Runs tests: the name of the run, the number of reports it must leave (one for each test project), the command.
tests() {
    local name=$1 projects=$2 code=0
    shift 2
    step "$*"
    run_tests "$name" "$@" || code=$?
    count_tests "$name" "$projects" "$code"
}

# The command of a test run. tests/Directory.Build.props makes each project leave its report in the folder.
run_tests() {
    local name=$1
    shift
    mkdir -p "$reports/$name"
    TestReports="$reports/$name" "$@" --progress off </dev/null
}

# Adds the reports of a finished test run to the count.
count_tests() {
    local name=$1 projects=$2 code=$3 report total good bad reported=0 failed_before=$failed
    while IFS= read -r -d '' report; do
        total=$(counter "$report" total)
        good=$(counter "$report" passed)
        bad=$(($(counter "$report" failed) + $(counter "$report" error) + $(counter "$report" timeout) + $(counter "$report" aborted)))
        printf '%s: %d tests\n' "${report#"$PWD"/}" "$total"
        ((total > 0)) && reported=$((reported + 1))
        passed=$((passed + good))
        failed=$((failed + bad))
        skipped=$((skipped + total - good - bad))
    done < <(find "$reports/$name" -name '*.trx' -print0 | sort -z)

    if ((reported != projects)); then
        printf '%s: %d test projects ran tests and left a report; expected %d.\n' "$name" "$reported" "$projects"
        failed=$((failed + 1))
    elif ((code != 0 && failed == failed_before)); then
        printf '%s: the runner exited with %d although no report has a failure.\n' "$name" "$code"
        failed=$((failed + 1))
    fi
}

# One number of a report's summary.
counter() { sed -n "s/.*<Counters [^>]*\\b$2=\"\\([0-9]*\\)\".*/\\1/p" "$1" | head -n 1; }

# The ten slowest tests of all reports, in seconds.
slowest_tests() {
    find "$reports" -name '*.trx' -exec grep -oh '<UnitTestResult [^>]*' {} + |
        sed -E 's/.*testName="([^"]*)".*duration="([0-9:.]*)".*/\2 \1/; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' |
        awk '{ split($1, t, ":"); $1 = ""; printf "%7.1f s %s\n", t[1] * 3600 + t[2] * 60 + t[3], $0 }' |
        sort -rn | head -n 10 | cut -c 1-160
}

# What the tests need beyond the SDK: strace for those that look at system calls, Node 20 or later for those on Azurite,
# a mail server in Python for those on mail, Chromium for those on the page, iproute2 for network namespaces.
install_tools() {
    local missing=() sudo=()
    command -v strace >/dev/null || missing+=(strace)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    command -v curl >/dev/null || missing+=(curl)
    command -v ip >/dev/null || missing+=(iproute2)
    command -v chromium >/dev/null || missing+=(chromium)
    [ -x /usr/bin/systemd-analyze ] || missing+=(systemd)
    { python3 -c 'import aiosmtpd' || /usr/bin/python3 -c 'import aiosmtpd'; } 2>/dev/null || missing+=(python3-aiosmtpd)
    ((${#missing[@]} > 0)) || return 0
    step "Install ${missing[*]}"
    ((EUID == 0)) || sudo=(sudo)
    export DEBIAN_FRONTEND=noninteractive
    "${sudo[@]}" apt-get update -qq </dev/null
    "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
}

# Minutes by step, the slowest tests, a warning above the bound in minutes, and last the count. Exits with 1 when anything
# failed, or when no test ran.
finish() {
    local bound=$1 tail=""
    end_step
    printf '\n== Minutes by step\n'
    printf '%s\n' "${steps[@]}"
    printf '%s  in all\n' "$(minutes "$SECONDS")"
    printf '\n== The ten slowest tests\n'
    slowest_tests
    ((SECONDS <= bound * 60)) || printf '\nWarning: this run took %s minutes; the bound is %d.\n' "$(minutes "$SECONDS")" "$bound"
    ((skipped == 0)) || tail=", $skipped skipped"
    printf '\n%d passed, %d failed%s\n' "$passed" "$failed" "$tail"
    ((failed == 0 && passed > 0))
    exit
}
