// One network with a subnet for the internal environment (silos) and one for the public environment (front ends). Container
// Apps wants at least a /27 of each, delegated to it.
param location string
param name string
param addressPrefix string

var delegation = [
  {
    name: 'container-apps'
    properties: {
      serviceName: 'Microsoft.App/environments'
    }
  }
]

var storageEndpoint = [
  {
    service: 'Microsoft.Storage'
  }
]

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'silos'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 0)
          delegations: delegation
          serviceEndpoints: storageEndpoint
        }
      }
      {
        name: 'fronts'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 1)
          delegations: delegation
          serviceEndpoints: storageEndpoint
        }
      }
    ]
  }

  resource silos 'subnets' existing = {
    name: 'silos'
  }

  resource fronts 'subnets' existing = {
    name: 'fronts'
  }
}

output id string = network.id
output silosSubnetId string = network::silos.id
output frontsSubnetId string = network::fronts.id
