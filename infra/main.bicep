// Step 2 of infra/deploy.sh: the cluster. One app per silo in an internal environment, front ends in a public one in the same
// network, one storage account, one vault, one identity. infra/README.md explains each choice.
targetScope = 'resourceGroup'

@description('Where everything is.')
param location string = resourceGroup().location

@description('Begins every name, as in registry.bicep.')
@minLength(3)
@maxLength(11)
param prefix string

@description('A silo: its number, which gives it its ports, and its image by digest.')
type siloType = {
  @minValue(0)
  @maxValue(5999)
  number: int
  image: string
}

@description('The silos. Each number is used once; an upgrade adds silos with new numbers and the new image, then leaves the old ones out.')
@minLength(1)
@maxLength(20)
param silos siloType[]

@description('The image of the front ends, by digest.')
param frontImage string

@description('The first API key, for the first deployment: a name, a dot and 43 characters of base64url. Later deployments leave it empty.')
@secure()
param firstKey string = ''

@description('Addresses of the network: a /26 at least, private, and used nowhere that it is peered with.')
param networkPrefix string = '10.70.0.0/24'

@description('Whether front ends are reached from the internet, or from the network only.')
param publicFronts bool = true

@description('Whether to assign roles. False for those who may not: the operator assigns them, as infra/README.md lists them.')
param assignRoles bool = true

@description('Cores of one silo.')
@allowed(['0.5', '1.0', '2.0', '4.0'])
param siloCpu string = '1.0'

@description('Memory of one silo: 2 GiB for each core.')
@allowed(['1Gi', '2Gi', '4Gi', '8Gi'])
param siloMemory string = '2Gi'

@description('Front ends of each kind at least, and at most.')
@minValue(1)
@maxValue(20)
param minFronts int = 1

@minValue(1)
@maxValue(50)
param maxFronts int = 5

@description('Days for which the platform keeps the log of the containers.')
@minValue(30)
@maxValue(730)
param logDays int = 30

var unique = uniqueString(resourceGroup().id, prefix)
var storageName = '${prefix}${unique}'
var vaultName = 'kv-${unique}'

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: '${prefix}${unique}'
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: '${prefix}-identity'
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: '${prefix}-logs'
  location: location
  properties: {
    retentionInDays: logDays
    sku: {
      name: 'PerGB2018'
    }
  }
}

module network 'modules/network.bicep' = {
  name: '${prefix}-network'
  params: {
    location: location
    name: '${prefix}-network'
    addressPrefix: networkPrefix
  }
}

module data 'modules/data.bicep' = {
  name: '${prefix}-data'
  params: {
    location: location
    storageName: storageName
    vaultName: vaultName
    subnetIds: [network.outputs.silosSubnetId, network.outputs.frontsSubnetId]
    firstKey: firstKey
  }
}

module roles 'modules/data-roles.bicep' = if (assignRoles) {
  name: '${prefix}-data-roles'
  params: {
    storageName: storageName
    vaultName: vaultName
    principalId: identity.properties.principalId
  }
  dependsOn: [data]
}

module inside 'modules/environment.bicep' = {
  name: '${prefix}-silos'
  params: {
    location: location
    name: '${prefix}-silos'
    subnetId: network.outputs.silosSubnetId
    networkId: network.outputs.id
    internal: true
    workspaceId: workspace.id
  }
}

module outside 'modules/environment.bicep' = if (publicFronts) {
  name: '${prefix}-fronts'
  params: {
    location: location
    name: '${prefix}-fronts'
    subnetId: network.outputs.frontsSubnetId
    networkId: network.outputs.id
    internal: false
    workspaceId: workspace.id
  }
}

module silo 'modules/silo.bicep' = [
  for one in silos: {
    name: '${prefix}-silo-${one.number}'
    params: {
      location: location
      prefix: prefix
      environmentId: inside.outputs.id
      staticIp: inside.outputs.staticIp
      identityId: identity.id
      identityClientId: identity.properties.clientId
      registryServer: registry.properties.loginServer
      storageName: storageName
      networkPrefix: networkPrefix
      firstKeyUri: data.outputs.firstKeyUri
      number: one.number
      image: one.image
      cpu: siloCpu
      memory: siloMemory
    }
    dependsOn: [roles]
  }
]

module front 'modules/front.bicep' = [
  for kind in ['http', 'grpc']: {
    name: '${prefix}-front-${kind}'
    params: {
      location: location
      name: '${prefix}-${kind}'
      environmentId: publicFronts ? outside!.outputs.id : inside.outputs.id
      identityId: identity.id
      identityClientId: identity.properties.clientId
      registryServer: registry.properties.loginServer
      storageName: storageName
      image: frontImage
      kind: kind
      minReplicas: minFronts
      maxReplicas: maxFronts
    }
    dependsOn: [silo]
  }
]

output storageAccount string = storageName
output httpAddress string = 'https://${front[0].outputs.fqdn}'
output grpcAddress string = '${front[1].outputs.fqdn}:443'
