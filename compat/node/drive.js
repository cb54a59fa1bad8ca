'use strict';

// Drives co-wechat-api through the steps of ../steps_test.go, and prints a line of JSON
// for each: {"step":"counts"}, with an "error" when it failed.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const API = require('co-wechat-api');

const { endpoint, appID, secret, image, voice, video, thumb } = JSON.parse(process.argv[2]);

function client(...args) {
  const api = new API(appID, args[0] || secret, ...args.slice(1));
  api.prefix = endpoint + '/cgi-bin/';
  return api;
}

// holding is a client with a token from elsewhere, which the SDK does not replace.
function holding(accessToken) {
  return client(secret, async () => ({ accessToken, expireTime: Date.now() + 60000 }), async () => {}, true);
}

async function step(name, run) {
  let error;
  try {
    await run();
  } catch (e) {
    error = String(e.stack || e);
  }
  console.log(JSON.stringify({ step: name, error }));
}

const refused = (call, code) => assert.rejects(call, { name: 'WeChatAPIError', code });

async function main() {
  const api = client();
  const ids = {};
  const keep = (name) => (answer) => {
    assert.match(answer.media_id, /^[\w-]{20,}$/);
    ids[name] = answer.media_id;
    return answer;
  };

  await step('token', async () => {
    const token = await api.getAccessToken();
    assert.ok(token.accessToken.length > 100 && token.isValid());
    await refused(client('wrong').getAccessToken(), 40125);
  });

  await step('upload image', async () => {
    const { url } = await api.uploadImageMaterial(image).then(keep('image'));
    assert.deepEqual(await body(url), fs.readFileSync(image));
  });
  await step('upload voice', () => api.uploadVoiceMaterial(voice).then(keep('voice')));
  await step('upload video', () => api.uploadVideoMaterial(video, { title: '标题 <&>"', introduction: '介绍' }).then(keep('video')));
  await step('upload thumb', () => api.uploadThumbMaterial(thumb).then(keep('thumb')));
  let inline;
  await step('uploadimg', async () => {
    inline = (await api.uploadImage(image)).url;
    assert.deepEqual(await body(inline), fs.readFileSync(image));
  });
  await step('temporary media', async () => {
    const { media_id, created_at } = await api.uploadImageMedia(image);
    assert.ok(created_at > 1e9);
    assert.deepEqual(await api.getMedia(media_id), fs.readFileSync(image));
  });

  const article = {
    title: '标题', author: '作者', digest: '摘要', content: `<p>正文</p><img src="${inline}">`,
    content_source_url: 'http://example.com/?a=1&b=2', thumb_media_id: ids.thumb, show_cover_pic: 1,
  };
  const isArticle = (got, title) => {
    for (const [name, value] of Object.entries({ ...article, title })) {
      assert.equal(got[name], value, name);
    }
    assert.ok(got.url.startsWith(endpoint));
  };
  await step('add news', async () => {
    keep('news')(await api.uploadNewsMaterial({ articles: [article] }));
    const { news_item } = await api.getMaterial(ids.news);
    assert.equal(news_item.length, 1);
    isArticle(news_item[0], '标题');
  });
  await step('update news', async () => {
    const answer = await api.updateNewsMaterial({ media_id: ids.news, index: 0, articles: { ...article, title: '新标题' } });
    assert.equal(answer.errcode, 0);
  });

  await step('counts', async () => {
    assert.deepEqual({ ...(await api.getMaterialCount()) }, { voice_count: 1, video_count: 1, image_count: 2, news_count: 1 });
  });
  const list = async (type, ...wanted) => {
    const page = await api.getMaterials(type, 0, 20);
    assert.deepEqual(page.item.map((item) => item.media_id), wanted);
    assert.equal(page.total_count, wanted.length);
    assert.equal(page.item_count, wanted.length);
    assert.deepEqual((await api.getMaterials(type, wanted.length, 20)).item, []);
    return page.item;
  };
  await step('list images', () => list('image', ids.thumb, ids.image));
  await step('list voices', () => list('voice', ids.voice));
  await step('list videos', async () => assert.equal((await list('video', ids.video))[0].name, '标题 <&>"'));
  await step('list news', async () => isArticle((await list('news', ids.news))[0].content.news_item[0], '新标题'));

  await step('get image', async () => {
    assert.deepEqual(await api.getMaterial(ids.image), fs.readFileSync(image));
    assert.deepEqual(await api.getMaterial(ids.thumb), fs.readFileSync(thumb));
  });
  await step('get voice', async () => assert.deepEqual(await api.getMaterial(ids.voice), fs.readFileSync(voice)));
  await step('get video', async () => {
    const { title, description, down_url } = await api.getMaterial(ids.video);
    assert.deepEqual([title, description], ['标题 <&>"', '介绍']);
    assert.deepEqual(await body(down_url), fs.readFileSync(video));
  });
  await step('get news', async () => isArticle((await api.getMaterial(ids.news)).news_item[0], '新标题'));

  await step('invalid id: 40007', () => refused(api.getMaterial('nothing'), 40007));
  await step('bad type: 40004', () => refused(api.getMaterials('thumb', 0, 20), 40004));
  await step('bad token: 40001', async () => {
    await refused(holding('nothing').getMaterialCount(), 40001);
    await refused(holding('nothing').getMaterial(ids.image), 40001);
    await refused(holding('nothing').uploadImageMaterial(image), 40001);
  });
  await step('token refresh', async () => {
    const accessToken = await stableToken(false);
    await api.saveToken({ accessToken, expireTime: Date.now() + 60000 });
    await api.getMaterialCount();
    assert.equal(api.store.accessToken, accessToken);
    await stableToken(true); // ends it at once
    await refused(holding(accessToken).getMaterialCount(), 40001);
    assert.deepEqual(await api.getMaterial(ids.image), fs.readFileSync(image));
    assert.notEqual(api.store.accessToken, accessToken);
  });
  await step('delete', async () => {
    for (const id of Object.values(ids)) {
      assert.equal((await api.removeMaterial(id)).errcode, 0);
      await refused(api.removeMaterial(id), 40007);
    }
  });
}

// stableToken asks for a token without the SDK, which does not know this endpoint.
async function stableToken(force_refresh) {
  const body = JSON.stringify({ grant_type: 'client_credential', appid: appID, secret, force_refresh });
  const res = await fetch(endpoint + '/cgi-bin/stable_token', { method: 'POST', body });
  return (await res.json()).access_token;
}

async function body(url) {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

main();
