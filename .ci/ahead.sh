#!/usr/bin/env bash
# Compiles what a silo and a console consist of ahead of time, in folders of build output and in place, as infra/publish.sh does
# for what is deployed. The end-to-end tests start hundreds of silos and consoles, and a quarter of the processor time of these
# goes into compiling the same code again.
#
#   .ci/ahead.sh FOLDER...
#
# An assembly that two folders share is compiled once; what cannot be compiled stays as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=$(dotnet msbuild tests/EndToEnd -getProperty:BundledNETCoreAppPackageVersion)
framework=$(dotnet msbuild tests/EndToEnd -getProperty:TargetFramework)
cat >"$work/tool.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>$framework</TargetFramework>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="Microsoft.NETCore.App.Crossgen2.linux-x64" Version="[$version]" />
  </ItemGroup>
</Project>
XML
dotnet restore "$work/tool.csproj" --verbosity quiet
compiler="$(dotnet msbuild "$work/tool.csproj" -getProperty:NuGetPackageRoot)microsoft.netcore.app.crossgen2.linux-x64/$version/tools/crossgen2"

shared=()
while read -r _ of folder; do
    [[ $of != "${version%%.*}".* ]] || shared+=(-r "${folder:1:-1}/$of/*.dll")
done < <(dotnet --list-runtimes)

# The name under which the compiled form of an assembly is kept: its content's.
kept() { printf '%s/%s.dll' "$work" "$(sha256sum "$1" | cut -c1-32)"; }

# What makes half of the calls carries the framework's generics for its own types too, as what is published does; for the rest
# that costs more than it saves: with all of Orleans it takes a half longer, and no silo starts sooner.
compile() {
    local to across=()
    to=$(kept "$1")
    [[ ${1##*/} =~ ^(Silo|Client|Grains|Orleans\.(Runtime|Core))\.dll$ ]] && across=(--opt-cross-module:'*' --non-local-generics-module:'*')
    "$compiler" "$1" --out "$to" -r "$(dirname "$1")/*.dll" "${@:2}" --targetos linux --targetarch x64 -O "${across[@]}" \
        >"$to.log" 2>&1 || rm -f "$to"
}
export -f compile kept
export compiler work

what='^(Silo|Client|Grains.*|Orleans\..*|OpenTelemetry.*|Polly.*|Grpc\..*|Google\..*|SQLitePCLRaw\..*|System\..*|Spectre\..*|Microsoft\.(Data|Extensions|AspNetCore|OpenApi|FluentUI)\..*)\.dll$'
assemblies=()
for folder in "$@"; do
    while IFS= read -r name; do
        assemblies+=("$folder/$name")
    done < <(find "$folder" -maxdepth 1 -name '*.dll' -printf '%f\n' | grep -E "$what" | sort)
done
sha256sum "${assemblies[@]}" | sort -u -k1,1 | cut -c67- |
    xargs -d '\n' -P "$(nproc)" -I{} bash -c 'compile "$@"' _ {} "${shared[@]}"

count=0
for assembly in "${assemblies[@]}"; do
    if [ -s "$(kept "$assembly")" ]; then
        cp "$(kept "$assembly")" "$work/next" && mv "$work/next" "$assembly"
        count=$((count + 1))
    fi
done
printf '%d of %d assemblies are compiled ahead of time.\n' "$count" "${#assemblies[@]}"
((count > 0))
