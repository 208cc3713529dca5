// One silo is one app with exactly one replica: an app has no address per replica. It listens on the ports that every silo
// listens on, and is reached at the environment's static address under a pair of ports of its own.
import { settings } from 'settings.bicep'

param location string
param prefix string
param environmentId string
param staticIp string
param identityId string
param identityClientId string
param registryServer string
param storageName string
param networkPrefix string
param firstKeyUri string

@description('The number of the silo. Its ports are 11111 and 30000 plus this; a number is not used again while a silo has it.')
@minValue(0)
@maxValue(5999)
param number int

@description('The image, by digest.')
param image string

@description('Cores of one silo.')
param cpu string

@description('Memory of one silo.')
param memory string

// 80, 443 and 36985 belong to the platform; 11111 and 30000 plus at most 5,999 meet none of them.
var siloPort = 11111 + number
var gatewayPort = 30000 + number

resource silo 'Microsoft.App/containerApps@2025-01-01' = {
  name: '${prefix}-silo-${number}'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      secrets: [
        {
          name: 'first-key'
          keyVaultUrl: firstKeyUri
          identity: identityId
        }
      ]
      ingress: {
        external: true // In an internal environment this is the network, not the internet.
        transport: 'tcp'
        targetPort: 11111
        exposedPort: siloPort
        additionalPortMappings: [
          {
            external: true
            targetPort: 30000
            exposedPort: gatewayPort
          }
        ]
      }
    }
    template: {
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'silo'
          image: image
          resources: {
            cpu: json(cpu)
            memory: memory
          }
          env: concat(settings(storageName, identityClientId), [
            {
              name: 'Cluster__Name'
              value: 'silo-${number}'
            }
            {
              name: 'Cluster__Address'
              value: staticIp
            }
            {
              name: 'Cluster__ListenAddress'
              value: '0.0.0.0'
            }
            {
              name: 'Cluster__TrustedNetwork'
              value: networkPrefix
            }
            {
              name: 'Cluster__AdvertisedSiloPort'
              value: string(siloPort)
            }
            {
              name: 'Cluster__AdvertisedGatewayPort'
              value: string(gatewayPort)
            }
            {
              name: 'Keys__Bootstrap'
              secretRef: 'first-key'
            }
          ])
          probes: [
            {
              type: 'Startup'
              httpGet: {
                port: 8080
                path: '/health/startup'
              }
              periodSeconds: 2
              failureThreshold: 60
            }
            {
              // Joined and not stopping, nothing else: a silo that is not ready has its ports closed by the platform.
              type: 'Readiness'
              httpGet: {
                port: 8080
                path: '/health/ready'
              }
              periodSeconds: 3
              failureThreshold: 2
            }
            {
              type: 'Liveness'
              httpGet: {
                port: 8080
                path: '/health/live'
              }
              periodSeconds: 10
              failureThreshold: 6
            }
          ]
          volumeMounts: [
            {
              volumeName: 'cache'
              mountPath: '/tmp'
            }
          ]
        }
      ]
      scale: {
        minReplicas: 1
        maxReplicas: 1
      }
      volumes: [
        {
          name: 'cache'
          storageType: 'EmptyDir'
        }
      ]
    }
  }
}
