// A Container Apps environment in a subnet. An internal one has a static address in the network, at which the ports of its
// apps are reached, and a private DNS zone for its names.
param location string
param name string
param subnetId string
param networkId string
param internal bool
param workspaceId string

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: name
  location: location
  properties: {
    zoneRedundant: false // Ports of TCP are not available in a zone-redundant environment.
    vnetConfiguration: {
      infrastructureSubnetId: subnetId
      internal: internal
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: environment
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

module names 'dns.bicep' = if (internal) {
  name: '${name}-dns'
  params: {
    zoneName: environment.properties.defaultDomain
    address: environment.properties.staticIp
    networkId: networkId
  }
}

output id string = environment.id
output staticIp string = environment.properties.staticIp
output domain string = environment.properties.defaultDomain
