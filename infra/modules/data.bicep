// The storage account (rows and objects), reached from the two subnets only and by identities only, and the vault with the
// first API key, from which the platform reads for the apps.
param location string
param storageName string
param vaultName string
param subnetIds string[]

@description('The first API key, as the silo reads it: a name, a dot, 43 characters of base64url. Empty: the secret that is there stays.')
@secure()
param firstKey string

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: storageName
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'None'
      defaultAction: 'Deny'
      virtualNetworkRules: [for subnet in subnetIds: {
        id: subnet
      }]
    }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName
  location: location
  properties: {
    tenantId: tenant().tenantId
    enableRbacAuthorization: true
    enablePurgeProtection: true
    sku: {
      family: 'A'
      name: 'standard'
    }
  }
}

resource key 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(firstKey)) {
  parent: vault
  name: 'first-key'
  properties: {
    value: firstKey
  }
}

output firstKeyUri string = '${vault.properties.vaultUri}secrets/first-key'
