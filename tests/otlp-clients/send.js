// Sends three records with OpenTelemetry's own exporter and batch processor: node send.js http|proto|grpc URL
const [kind, url] = process.argv.slice(2);
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${kind}`);
const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { SeverityNumber } = require('@opentelemetry/api-logs');

const exporter = new OTLPLogExporter({ url, compression: 'gzip' });
const provider = new LoggerProvider({
  resource: resourceFromAttributes({ 'service.name': `js-${kind}`, 'host.name': 'node-1', 'deployment.environment': 'test' }),
  processors: [new BatchLogRecordProcessor({ exporter })],
});
const logger = provider.getLogger('shop', '1.2.3');
const time = [1700000000, 123456789];
logger.emit({ timestamp: time, observedTimestamp: time, severityNumber: SeverityNumber.INFO, severityText: 'INFO', body: 'grüße 👋', attributes: { count: 7, ratio: 0.5, ok: true, tags: ['a', 'b'], nested: { deep: [1, { x: null }] } } });
logger.emit({ timestamp: time, observedTimestamp: time, severityNumber: SeverityNumber.ERROR2, body: { reason: 'no stock', items: [1, 2] }, eventName: 'order.refused' });
logger.emit({ timestamp: time, observedTimestamp: time, body: 'plain' });
provider.shutdown().then(() => process.exit(0), error => { console.error(error); process.exit(1); });
