// Signs one body with the libraries that the senders themselves publish, and
// prints what is to be delivered: hook, header, body. Arguments: the secrets of
// GitHub, Stripe, and (whsec_…) Standard Webhooks.
import { sign } from '@octokit/webhooks-methods'
import { Webhook as Standard } from 'standardwebhooks'
import { Webhook as Svix } from 'svix'
import Stripe from 'stripe'

const [github, stripe, standard] = process.argv.slice(2)
const body = JSON.stringify({ id: 'evt_1', object: 'event', type: 'invoice.paid', text: 'Zoë & <b>\u2028\\"' })
const now = new Date()
const seconds = String(Math.floor(now.getTime() / 1000))
const deliveries = [
  {
    hook: 'github', body,
    header: { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': 'd-1', 'X-Hub-Signature-256': await sign(github, body) }
  },
  { hook: 'stripe', body, header: { 'Stripe-Signature': Stripe.webhooks.generateTestHeaderString({ payload: body, secret: stripe }) } },
  {
    hook: 'standard-webhooks', body,
    header: { 'webhook-id': 'msg_1', 'webhook-timestamp': seconds, 'webhook-signature': new Standard(standard).sign('msg_1', now, body) }
  },
  {
    hook: 'standard-webhooks', body,
    header: { 'webhook-id': 'msg_2', 'webhook-timestamp': seconds, 'webhook-signature': new Svix(standard).sign('msg_2', now, body) }
  }
]
process.stdout.write(JSON.stringify(deliveries))
