// Reads a WARC file and prints one line of JSON for each record: its type, URL, status, headers and the SHA-256 of its payload.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { WARCParser } from "warcio";

for await (const record of new WARCParser(createReadStream(process.argv[2]))) {
  const payload = await record.readFully(true);
  console.log(
    JSON.stringify({
      type: record.warcType,
      url: record.warcTargetURI,
      status: record.httpHeaders?.statusCode,
      payloadDigest: record.warcPayloadDigest,
      sha256: createHash("sha256").update(payload ?? new Uint8Array()).digest("hex"),
      bytes: payload?.length ?? 0,
      headers: Object.fromEntries(record.httpHeaders?.headers?.entries() ?? []),
    }),
  );
}
