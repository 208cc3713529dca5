// A front end: HTTP or gRPC before the silos, without grains. Front ends scale with their requests.
import { settings } from 'settings.bicep'

param location string
param name string
param environmentId string
param identityId string
param identityClientId string
param registryServer string
param storageName string
param image string

@description('http: REST, the page, OTLP over HTTP. grpc: orders and OTLP over gRPC. Only the main port of an app has the features of HTTP, so each is an app.')
@allowed(['http', 'grpc'])
param kind string

param minReplicas int
param maxReplicas int

var isHttp = kind == 'http'

resource front 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
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
      ingress: {
        external: true
        allowInsecure: false
        transport: isHttp ? 'auto' : 'http2'
        targetPort: isHttp ? 8080 : 4317
        stickySessions: isHttp ? { affinity: 'sticky' } : null
      }
    }
    template: {
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'front'
          image: image
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
          env: concat(settings(storageName, identityClientId), [
            {
              name: 'Cluster__Role'
              value: 'Front'
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
              type: 'Readiness'
              httpGet: {
                port: 8080
                path: '/health/ready'
              }
              periodSeconds: 5
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
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: [
          {
            name: 'requests'
            http: {
              metadata: {
                concurrentRequests: '100'
              }
            }
          }
        ]
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

output fqdn string = front.properties.configuration.ingress.fqdn
