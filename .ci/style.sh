#!/usr/bin/env bash
# The shape of the code: formatted as CSharpier does it (.csharpierrc.json), and no line of the product over 140 columns.
# `dotnet tool restore && dotnet csharpier format .` mends the first; CSharpier leaves comments and long texts as they are.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

code=0
dotnet tool restore --verbosity quiet && dotnet csharpier check . || code=1
# A line of data in a test, such as a JSON document, may be longer.
if git ls-files -z 'Grains*/*.cs' 'Silo/*.cs' 'Client/*.cs' 'Silo/*.razor' 'Silo/*.css' 'Silo/*.js' |
    LC_ALL=C.UTF-8 xargs -0 grep -nP '^.{141,}'; then
    echo "These lines have more than 140 columns; split them." >&2
    code=1
fi
if git ls-files -z '*.cs' '*.razor' '*.css' '*.js' '*.md' '*.tsv' | LC_ALL=C.UTF-8 xargs -0 grep -n '[«»]'; then
    echo "These lines have guillemets; quotes are straight." >&2
    code=1
fi
exit $code
