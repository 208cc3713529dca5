#!/usr/bin/env bash
# Deploys the cluster to Azure Container Apps, scales it, upgrades it, or takes silos away. Needs the Azure CLI, signed in
# (az login), and the .NET SDK; infra/README.md explains what is made.
#
#   infra/deploy.sh --group G --prefix P [--location L] [--silos N]          deploy, or scale out to N silos
#   infra/deploy.sh --group G --prefix P --upgrade                           new silos with new ports and this image, then the old ones leave
#   infra/deploy.sh --group G --prefix P --upgrade --tag T                   the same with an image that was pushed before (roll back)
#   infra/deploy.sh --group G --prefix P --remove 3 --remove 4               take silos away, by number
#
#   --group G        resource group; made if it is missing
#   --prefix P       begins every name: 3 to 11 lower-case letters and digits
#   --location L     for a new group (default: westeurope)
#   --silos N        how many silos (default: those that are there; 2 at first)
#   --upgrade        replace every silo; the front ends follow
#   --remove N       take away silo N; may be repeated
#   --tag T          use an image that was pushed before instead of building one
#   --key-file F     first deployment: the first API key from this file instead of a new one
#   --no-roles       do not assign roles (infra/README.md lists those that are needed)
#   --private        front ends are reached from the network only
#   --dry-run        print the commands and change nothing; asks Azure nothing and assumes a first deployment
set -euo pipefail
self=$(realpath "${BASH_SOURCE[0]}")
cd "$(dirname "$self")/.."

usage() {
    sed -n '/^# Deploys/,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$self"
}

fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

group="" prefix="" location=westeurope silos="" upgrade=false tag="" key_file="" assign_roles=true public=true dry_run=false
remove=()
while (($# > 0)); do
    case $1 in
        --group | --prefix | --location | --silos | --remove | --tag | --key-file)
            (($# > 1)) || fail "$1 needs a value."
            case $1 in
                --group) group=$2 ;;
                --prefix) prefix=$2 ;;
                --location) location=$2 ;;
                --silos) silos=$2 ;;
                --remove) remove+=("$2") ;;
                --tag) tag=$2 ;;
                --key-file) key_file=$2 ;;
            esac
            shift 2
            ;;
        --upgrade) upgrade=true; shift ;;
        --no-roles) assign_roles=false; shift ;;
        --private) public=false; shift ;;
        --dry-run) dry_run=true; shift ;;
        -h | --help) usage; exit 0 ;;
        *) fail "There is no option $1; --help lists them." ;;
    esac
done
[[ -n $group ]] || fail "Name the resource group with --group."
[[ $prefix =~ ^[a-z][a-z0-9]{2,10}$ ]] || fail "--prefix is \"$prefix\"; it is 3 to 11 lower-case letters and digits, starting with a letter."
[[ -z $silos || ($silos =~ ^[0-9]+$ && $silos -ge 1 && $silos -le 20) ]] || fail "--silos is \"$silos\"; it is a whole number from 1 to 20."
for number in "${remove[@]}"; do
    [[ $number =~ ^[0-9]+$ ]] || fail "--remove is \"$number\"; it is the number of a silo, as in $prefix-silo-3."
done
if [[ -n $key_file ]]; then
    [[ -r $key_file ]] || fail "--key-file: $key_file cannot be read."
fi

# A command that changes something.
run() {
    if $dry_run; then
        printf '%q ' "$@"
        printf '\n'
    else
        "$@"
    fi
}

# A question to Azure; in a dry run the answer that is given first.
ask() {
    local assumed=$1
    shift
    if $dry_run; then printf '%s\n' "$assumed"; else "$@"; fi
}

$dry_run || command -v az >/dev/null || fail "The Azure CLI (az) is not installed."

# 1. The registry and the identity.
run az group create --name "$group" --location "$location" --output none
run az deployment group create --resource-group "$group" --name "$prefix-registry" --template-file infra/registry.bicep \
    --parameters prefix="$prefix" assignRoles="$assign_roles" --output none
registry=$(ask "${prefix}registry" az deployment group show --resource-group "$group" --name "$prefix-registry" \
    --query properties.outputs.registryName.value --output tsv)
server=$(ask "${prefix}registry.example" az deployment group show --resource-group "$group" --name "$prefix-registry" \
    --query properties.outputs.loginServer.value --output tsv)

# 2. The image: built and pushed by the SDK, without a container engine. What is deployed is named by digest.
if [[ -z $tag ]]; then
    tag=$(git rev-parse --short=12 HEAD)
    git diff --quiet HEAD -- || tag+="-$(date -u +%Y%m%d%H%M%S)"
    DOTNET_CONTAINER_REGISTRY_UNAME=00000000-0000-0000-0000-000000000000
    DOTNET_CONTAINER_REGISTRY_PWORD=$(ask token az acr login --name "$registry" --expose-token --query accessToken --output tsv)
    export DOTNET_CONTAINER_REGISTRY_UNAME DOTNET_CONTAINER_REGISTRY_PWORD
    # The console comes along, for "az containerapp exec".
    console=$(mktemp -d)
    run dotnet publish Client -c Release -r linux-x64 --output "$console"
    run dotnet publish Silo -c Release -r linux-x64 -t:PublishContainer -p:ConsoleFolder="$console" -p:ContainerRegistry="$server" -p:ContainerImageTag="$tag"
    rm -rf "$console"
    unset DOTNET_CONTAINER_REGISTRY_UNAME DOTNET_CONTAINER_REGISTRY_PWORD
fi
digest=$(ask sha256:0 az acr repository show --name "$registry" --image "orleans-silo:$tag" --query digest --output tsv)
[[ $digest == sha256:* ]] || fail "The registry has no image orleans-silo:$tag."
image="$server/orleans-silo@$digest"

# 3. Which silos there are, and which there will be: "number image" a line, in order.
there=$(ask "" az containerapp list --resource-group "$group" \
    --query "[?starts_with(name, '$prefix-silo-')].[name, properties.template.containers[0].image]" --output tsv |
    sed -E "s/^$prefix-silo-([0-9]+)[[:space:]]+/\1 /" | sort -n)
count=$(grep -c . <<<"$there" || true)
next=$(($(tail -n 1 <<<"$there" | cut -d ' ' -f 1) + 1))
((count > 0)) || next=0
wanted=${silos:-$((count > 0 ? count : 2))}
kept=$there
for number in "${remove[@]}"; do
    grep -q "^$number " <<<"$kept" || fail "There is no silo $number in $group."
    kept=$(grep -v "^$number " <<<"$kept" || true)
done
leaving=("${remove[@]}")
add=0
if $upgrade; then
    ((count > 0)) || fail "There is nothing to upgrade in $group: deploy first."
    add=$wanted
    mapfile -t leaving < <(cut -d ' ' -f 1 <<<"$there")
elif ((${#remove[@]} > 0)); then
    [[ -n $kept ]] || fail "The last silo is not taken away: delete the resource group instead."
elif ((wanted < count)); then
    fail "There are $count silos; take some away with --remove NUMBER: $(cut -d ' ' -f 1 <<<"$there" | paste -sd ' ')."
else
    add=$((wanted - count))
fi
((count + add <= 20)) || fail "$count silos and $add new ones are more than 20, which is as many as one environment has ports for here."
for ((i = 0; i < add; i++)); do
    kept+="${kept:+$'\n'}$((next + i)) $image"
done
silo_list=$(awk 'NF { printf "%s{\"number\":%s,\"image\":\"%s\"}", sep, $1, $2; sep = "," }' <<<"$kept")

# 4. The first key. Only the first deployment has one: later ones leave the secret as it is.
first_key=""
if ((count == 0)); then
    if [[ -n $key_file ]]; then
        first_key=$(<"$key_file")
    elif $dry_run; then
        first_key="operator.SECRET"
    else
        first_key="operator.$(head -c 32 /dev/urandom | base64 -w 0 | tr '+/' '-_' | tr -d '=')"
    fi
fi

# Parameters go by a file that only this user can read: arguments are seen by everybody on the machine.
parameters=$(mktemp)
trap 'rm -f "$parameters"' EXIT
cat >"$parameters" <<JSON
{ "\$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#", "contentVersion": "1.0.0.0",
  "parameters": {
    "prefix": { "value": "$prefix" },
    "silos": { "value": [$silo_list] },
    "frontImage": { "value": "$image" },
    "firstKey": { "value": "$first_key" },
    "publicFronts": { "value": $public },
    "assignRoles": { "value": $assign_roles } } }
JSON
if $dry_run; then
    printf 'Parameters: %s\n' "$(tr -d '\n' <"$parameters" | sed "s/$first_key/(the first key)/")"
fi
run az deployment group create --resource-group "$group" --name "$prefix-cluster" --template-file infra/main.bicep \
    --parameters "@$parameters" --output none

# 5. Old silos leave after the new ones have joined: the deployment ends when every new app is ready. SIGTERM lets a silo hand
#    over its grains before it ends.
if ((count > 0)); then
    for number in "${leaving[@]}"; do
        run az containerapp delete --resource-group "$group" --name "$prefix-silo-$number" --yes --output none
    done
fi

printf '\nDeployed %s silos to %s.\n' $(($(grep -c . <<<"$kept") - $($upgrade && echo "$count" || echo 0))) "$group"
for output in httpAddress grpcAddress; do
    printf '%s: %s\n' "$output" "$(ask "(known after the deployment)" az deployment group show --resource-group "$group" \
        --name "$prefix-cluster" --query "properties.outputs.$output.value" --output tsv)"
done
if ((count == 0)) && [[ -z $key_file ]] && ! $dry_run; then
    printf 'The first API key, an operator'\''s, is shown once: %s\n' "$first_key"
fi
