// An example, and what the snapshot in CI is made from: two silos. infra/deploy.sh gives its own values.
using 'main.bicep'

param location = 'westeurope'
param prefix = 'orleans'
param silos = [
  {
    number: 0
    image: 'example.azurecr.io/silo@sha256:0000000000000000000000000000000000000000000000000000000000000000'
  }
  {
    number: 1
    image: 'example.azurecr.io/silo@sha256:0000000000000000000000000000000000000000000000000000000000000000'
  }
]
param frontImage = 'example.azurecr.io/silo@sha256:0000000000000000000000000000000000000000000000000000000000000000'
