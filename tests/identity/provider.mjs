// An authorization server of other makers, on a port of this computer: whoever is named by login_hint is logged in.
// What each person is granted is told by the first letters of their name: "read..." only reads, "later..." reads at the
// first login and everything at the next; "second..." may approve what others ask for as well; everybody else is granted
// what is asked for. One line of JSON says where it is.
import Provider, { errors } from 'oidc-provider';

const port = Number(process.argv[2]);
const formats = JSON.parse(process.argv[3]); // by resource: jwt or opaque
const issuer = `http://127.0.0.1:${port}`;
const SCOPES = ['cliniko:read', 'cliniko:write', 'cliniko:destroy'];
const APPROVE = 'cliniko:approve';
const LIVES = { short: 1, brief: 5 }; // seconds of an access token, by how the name begins
const secret = 'a-secret-of-the-server';
const pages = Object.keys(formats).map((resource) => `${new URL(resource).origin}/login/callback`);
const logins = new Map();
const gone = new Set();
const granted = (account) => {
  if (account.startsWith('read')) return SCOPES.slice(0, 1);
  if (account.startsWith('later') && logins.get(account) < 2) return SCOPES.slice(0, 1);
  return account.startsWith('second') ? [...SCOPES, APPROVE] : SCOPES;
};

const provider = new Provider(issuer, {
  clients: [
    { client_id: 'the-server', client_secret: secret, redirect_uris: [], response_types: [], grant_types: [] },
    { client_id: 'the-pages', client_secret: secret, redirect_uris: pages },
    { client_id: 'an-assistant', token_endpoint_auth_method: 'none', redirect_uris: ['https://assistant.example.org/back'] },
  ],
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
  findAccount: async (ctx, id) => (gone.has(id) ? undefined : { accountId: id, claims: async () => ({ sub: id }) }),
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  extraTokenClaims: async (ctx, token) => ({ name: `${token.accountId} of the front desk` }),
  ttl: { AccessToken: (ctx, token) => LIVES[/^[a-z]*/.exec(token.accountId ?? '')[0]] ?? 600, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600 },
  scopes: ['openid', 'offline_access', ...SCOPES, APPROVE],
  acrValues: ['strong'],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => true,
      defaultResource: async () => undefined,
      getResourceServerInfo: async (ctx, resource) => {
        if (!(resource in formats)) throw new errors.InvalidTarget();
        return { scope: [...SCOPES, APPROVE].join(' '), audience: resource, accessTokenFormat: formats[resource], jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
  interactions: { url: (ctx, interaction) => `/enter/${interaction.uid}` },
});

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/remove/')) {
    gone.add(ctx.path.slice('/remove/'.length));
    ctx.body = 'gone';
    return;
  }
  if (!ctx.path.startsWith('/enter/')) return next();
  const { params, prompt, session } = await provider.interactionDetails(ctx.req, ctx.res);
  const account = params.login_hint;
  if (prompt.name === 'login') {
    logins.set(account, (logins.get(account) ?? 0) + 1);
    await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: account } });
    ctx.respond = false;
    return;
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const asked = params.scope.split(' ');
  grant.addOIDCScope(asked.filter((scope) => ![...SCOPES, APPROVE].includes(scope)).join(' '));
  for (const resource of [params.resource].flat()) {
    for (const scope of [...SCOPES, APPROVE]) {
      if (granted(account).includes(scope)) grant.addResourceScope(resource, scope);
      else grant.rejectResourceScope(resource, scope);
    }
  }
  for (const scope of [...SCOPES, APPROVE]) grant.rejectOIDCScope(scope);
  await provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } });
  ctx.respond = false;
});

const server = provider.listen(port, '127.0.0.1', () => console.log(JSON.stringify({ issuer })));
process.stdin.on('end', () => server.closeAllConnections() || process.exit(0)).resume();
