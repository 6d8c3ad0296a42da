#!/usr/bin/env bash
# The steps of action.yml, so that they can be run and tested outside of it:
#
#   run.sh measure    measures, writes the step summary and the reports
#   run.sh comment    writes the one comment on the pull request, or replaces it
#
# All that comes from outside comes by environment variables and is only ever
# used as a quoted argument: names of branches, titles and paths of a pull request
# are text of whoever opened it.
set -euo pipefail

fail() { # MESSAGE [HINT]: what a person should do is part of the annotation
	echo "::error title=concprof::$(inert "$1${2:+. $2}")" >&2 # a caller may read our output
	exit 1
}

warn() { echo "::warning title=concprof::$(inert "$1")"; }

# inert makes one line of a text, which the runner takes for nothing else.
inert() { printf '%s' "$1" | tr '\r\n' '  ' | sed 's/%/%25/g; s/::/: :/g'; }

# name tells several uses of the action apart.
name() { printf '%s' "${INPUT_NAME:-concprof}" | tr -c 'A-Za-z0-9._-' '-'; }

output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# program prints the path of concprof: the one given, or this repository's,
# built.
program() {
	if [ -n "${INPUT_CONCPROF:-}" ]; then
		printf '%s' "$INPUT_CONCPROF"
		return
	fi
	command -v go >/dev/null || fail "there is no go command to build concprof with" "add actions/setup-go before this action"
	(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && go build -trimpath -o "$1/concprof" ./cmd/concprof) >&2 || fail "concprof could not be built"
	printf '%s' "$1/concprof"
}

# baseline prints the commit to measure against, nothing for none: what was
# asked for, or for a pull request where it and its base part. Of the merge
# commit that actions/checkout checks out that is the base as it is now.
baseline() {
	case "${INPUT_AGAINST:-}" in
	none) return ;;
	?*)
		printf '%s' "$INPUT_AGAINST"
		return
		;;
	esac
	[[ "${BASE_SHA:-}" =~ ^[0-9a-f]{40,64}$ ]] || return 0
	git merge-base "$BASE_SHA" HEAD 2>/dev/null ||
		fail "the commit that this pull request starts from is not in the clone" "Set fetch-depth: 0 for actions/checkout"
}

measure() {
	local out="$RUNNER_TEMP/concprof"
	mkdir -p "$out"
	cd "${INPUT_WORKING_DIRECTORY:-.}"
	local concprof base line code=0 html markdown verdict
	html="$out/$(name).html" # the artifact is called after the file
	markdown="$out/$(name).md"
	verdict="$out/$(name).json"
	rm -f "$html" "$markdown" "$verdict" # what stands there was said of something else
	concprof="$(program "$out")" || exit 1
	base="$(baseline)" || exit 1
	local args=(analyze --color never --dir "$out/runs" --report "$html" --report "$markdown" --report "$verdict")
	[ -z "$base" ] || args+=(--against "$base")
	while IFS= read -r line; do
		[ -z "$line" ] || args+=(--gate "$line")
	done <<<"${INPUT_GATE:-}"
	while IFS= read -r line; do
		[ -z "$line" ] || args+=("$line")
	done <<<"${INPUT_ARGUMENTS:-}"
	args+=("${INPUT_FILE:-workload.yaml}")

	# What the measured program prints is no command of the runner's.
	local token="concprof-$RANDOM$RANDOM$RANDOM"
	echo "::stop-commands::$token"
	"$concprof" "${args[@]}" || code=$?
	echo
	echo "::$token::"

	output code "$code"
	if [ -f "$markdown" ]; then
		cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
		output markdown "$markdown"
	fi
	[ ! -f "$html" ] || output html "$html"
	[ ! -f "$verdict" ] || output verdict "$verdict"
	local asked=false
	if [ -n "${INPUT_GATE:-}" ] || [ "${INPUT_ENFORCE:-false}" = true ]; then
		asked=true
	fi
	case "$code:$asked" in
	0:*) ;;
	3:true) fail "a gate is not met, see the summary" ;;
	4:true) fail "some cells failed, see the summary" ;;
	5:true) fail "a gate could not be decided, see the summary" "More runs or a quieter machine would settle it" ;;
	3:*) warn "a gate of the workload file is not met; nothing is enforced here" ;;
	4:*) warn "some cells failed, see the summary" ;;
	5:*) warn "a gate of the workload file could not be decided; nothing is enforced here" ;;
	*) fail "concprof ended with exit code $code, the log says why" ;;
	esac
}

comment() {
	[[ "${PULL_REQUEST:-}" =~ ^[0-9]+$ ]] || fail "there is no pull request to comment on"
	[ -f "${MARKDOWN:-}" ] || fail "there is no report to comment with"
	if [ "${HEAD_REPOSITORY:-}" != "$GITHUB_REPOSITORY" ]; then
		echo "a fork's pull request: the summary and the artifact have the report, and no comment is written"
		return
	fi
	local marker body id
	marker="<!-- concprof $(name) -->"
	body="$RUNNER_TEMP/concprof/$(name).comment.md"
	{
		echo "$marker"
		cat "$MARKDOWN"
		if [[ "${HEAD_SHA:-}" =~ ^[0-9a-f]{40}$ ]]; then
			printf '\n<sub>%s · [run](%s/%s/actions/runs/%s)</sub>\n' "$HEAD_SHA" "$GITHUB_SERVER_URL" "$GITHUB_REPOSITORY" "$GITHUB_RUN_ID"
		fi
	} >"$body"
	# A person can write the marker too: only a bot's comment is replaced.
	if ! id="$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" \
		--jq ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$marker\"))) | .id")"; then
		warn "the comments of the pull request cannot be read: give the job permissions: pull-requests: write"
		return
	fi
	id="${id%%$'\n'*}"
	if [[ "$id" =~ ^[0-9]+$ ]]; then
		gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F "body=@$body"
	else
		gh api --silent -X POST "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" -F "body=@$body"
	fi || warn "the comment cannot be written: give the job permissions: pull-requests: write"
}

case "${1:-}" in
measure | comment) "$1" ;;
*) fail "run.sh measure | comment" ;;
esac
