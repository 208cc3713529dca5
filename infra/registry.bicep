// Step 1 of infra/deploy.sh: what has to exist before an image can be pushed. The registry, and the identity that silos and
// front ends run under.
targetScope = 'resourceGroup'

@description('Where everything is.')
param location string = resourceGroup().location

@description('Begins every name. 3 to 11 lower-case letters and digits, starting with a letter.')
@minLength(3)
@maxLength(11)
param prefix string

@description('Whether to assign roles. False for those who may not: the operator assigns them, as infra/README.md lists them.')
param assignRoles bool = true

var unique = uniqueString(resourceGroup().id, prefix)

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: '${prefix}${unique}'
  location: location
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
  }
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${prefix}-identity'
  location: location
}

module pull 'modules/registry-role.bicep' = if (assignRoles) {
  name: '${prefix}-registry-role'
  params: {
    registryName: registry.name
    principalId: identity.properties.principalId
  }
}

output registryName string = registry.name
output loginServer string = registry.properties.loginServer
