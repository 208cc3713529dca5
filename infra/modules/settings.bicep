// Settings that silos and front ends have in common, as environment variables.
@export()
func settings(storageName string, identityClientId string) { name: string, value: string }[] => [
  {
    name: 'Storage__Kind'
    value: 'Azure'
  }
  {
    name: 'Storage__AccountName'
    value: storageName
  }
  {
    // Which of the identities of the app the Azure SDK signs in with.
    name: 'AZURE_CLIENT_ID'
    value: identityClientId
  }
  {
    name: 'Listen__Address'
    value: '0.0.0.0'
  }
  {
    name: 'Log__Format'
    value: 'Json'
  }
  {
    // Base images set it; the silo has settings of its own.
    name: 'ASPNETCORE_HTTP_PORTS'
    value: ''
  }
]
