#!/usr/bin/env bash
# Publishes silo and console for Linux on x64 into one folder: framework-dependent, compiled before they start, natives of that
# platform only. Both use the .NET runtime (ASP.NET Core 10) of the machine or image that they run on.
#
#   infra/publish.sh DIR
#
# Start the silo with DIR/Silo, the console with DIR/Client.
set -euo pipefail
(($# == 1)) && [[ $1 != -* ]] || { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}"; exit 2; }
folder=$(realpath -m "$1")
[[ ! -e $folder || -z $(ls -A "$folder") ]] || { echo "$folder is not empty." >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for project in Client Silo; do
    dotnet publish "$project" -c Release -r linux-x64 --output "$folder" --verbosity quiet
done
