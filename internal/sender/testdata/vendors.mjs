// Makes the deliveries that the vendors' own packages sign (…/20-signed-by-*.json).
// npm install @octokit/webhooks-methods stripe standardwebhooks svix && node vendors.mjs samples
import { sign } from "@octokit/webhooks-methods";
import Stripe from "stripe";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";
import fs from "fs";
const v = p => JSON.parse(fs.readFileSync(`node_modules/${p}/package.json`)).version;
const dir = process.argv[2];
const now = "2024-06-11T09:30:00Z", at = Math.floor(Date.parse(now) / 1000) - 2;
const out = (sender, name, s) => fs.writeFileSync(`${dir}/${sender}/${name}.json`, JSON.stringify({ sender, method: "POST", path_query: "", ...s, now, verify: true, why: "" }, null, 1) + "\n");
const json = ["Content-Type", "application/json"];
{
  const body = '{"ref":"refs/heads/main","message":"Grüße ✅"}', secret = "octokit's secret";
  out("github", "20-signed-by-octokit", { headers: [json, ["X-GitHub-Event", "push"], ["X-GitHub-Delivery", "20-octokit"], ["X-Hub-Signature-256", await sign(secret, body)]], body, secret,
    expect: { event: "push", delivery_id: "20-octokit", handshake: null }, source: `npm @octokit/webhooks-methods ${v("@octokit/webhooks-methods")}, sign` });
}
{
  const body = '{"id":"evt_20","object":"event","type":"invoice.paid","data":{"name":"Grüße ✅"}}', secret = "whsec_20stripe";
  const header = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at });
  out("stripe", "20-signed-by-stripe", { headers: [["Content-Type", "application/json; charset=utf-8"], ["Stripe-Signature", header]], body, secret,
    expect: { event: "invoice.paid", delivery_id: "evt_20", handshake: null }, source: `npm stripe ${v("stripe")}, webhooks.generateTestHeaderString` });
}
for (const [name, Lib, pkg] of [["20-signed-by-standardwebhooks", Standard, "standardwebhooks"], ["21-signed-by-svix", Svix, "svix"]]) {
  const secret = "whsec_" + Buffer.from("twenty-four bytes, 24 of").toString("base64"), body = '{"type":"image.pushed","data":{"name":"Grüße ✅"}}';
  const signature = new Lib(secret).sign("msg_" + name, new Date(at * 1000), body);
  out("standard-webhooks", name, { headers: [json, ["webhook-id", "msg_" + name], ["webhook-timestamp", String(at)], ["webhook-signature", signature]], body, secret,
    expect: { event: "image.pushed", delivery_id: "msg_" + name, handshake: null }, source: `npm ${pkg} ${v(pkg)}, Webhook.sign` });
}
