# 二つ目の要素。英語のファイルを参照。

## How one signs in

security-title = サインインの方法
security-lead = 二つ目の要素があれば、パスワードを知っているだけの人は入れません。
security-asked = 許可を求められている内容には二つ目の要素が必要です。ここで設定してから続けてください。
security-go-on = 続ける
security-added = 追加しました。
security-not-added = 追加できませんでした。すでにあるか、時間がかかりすぎました。もう一度お試しください。
security-removed = 削除しました。
security-last-way = 削除できませんでした。サインインする方法がなくなってしまいます。
security-forgotten = そのブラウザーでも、もう一度二つ目の要素を確認します。
security-lost = ここにあるものをすべて失うと、{ $server } の運営者だけが再び入れるようにできます。

## Passkeys

passkeys-heading = パスキー
passkeys-lead = 指紋、顔、PIN、セキュリティキーでサインインできます。パスワードは要りません。
passkey-added = { $date }に追加
passkey-used = 最後の使用は{ $date }
passkey-not-used = まだ使われていません
passkey-name = 新しいパスキーの名前
passkey-unnamed = パスキー
passkey-add = パスキーを追加
passkey-remove = 削除
passkey-failed = 端末からパスキーを受け取れませんでした。もう一度お試しください。

## Authenticator app

app-heading = 認証アプリ
app-lead = 電話のアプリに、30秒ごとに変わるコードが表示されます。
app-since = { $date }に設定
app-set-up = アプリを設定
app-remove = アプリを削除
app-scan = この画像をアプリで読み取り、表示されたコードを入力してください。
app-type = または、このキーをアプリに入力してください:
app-picture = キーのQRコード
app-code = コード
app-code-wrong = アプリに今表示されているコードではありません。次のコードをお待ちください。
app-confirm = 確認

## Recovery codes

codes-heading = 回復コード
codes-lead = ほかの二つ目の要素を失ったときに、それぞれ一度だけ使えます。
codes-left = { $count ->
   *[other] 残り{ $count }個です。
 }
codes-make = 新しいコードを作る
codes-title = あなたの回復コード
codes-once = 今すぐ書き留めてください。表示されるのは今回だけです。以前のコードは使えなくなりました。
codes-kept = 保管しました

## Remembered browsers

devices-heading = 記憶したブラウザー
devices-lead = これらのブラウザーでは二つ目の要素を確認しません。
device-until = { $date }まで
device-forget = 忘れる
devices-forget = すべて忘れる

## Showing a second factor

second-step-title = 二段階目
second-step-lead = { $name }さん、もう少しです。二つ目の要素を示してください。
second-step-code = アプリのコードまたは回復コード
second-step-passkey = パスキーを使う
second-step-remember = このブラウザーでは30日間確認しない
second-step-do = 続ける
second-step-wrong = 正しくありません。コードはそれぞれ一度だけ使えます。次のコードをお待ちください。
second-step-other = 別のアカウントを使う
prove-title = ご本人ですか
prove-lead = 大切な操作のため、{ $name }さんであることをもう一度示してください。
sign-in-passkey = パスキーでサインイン
sign-in-passkey-refused = このパスキーはここでは使えません。別の方法でサインインしてください。

## What happened

event-passkey-added = パスキーを追加しました
event-passkey-removed = パスキーを削除しました
event-app-added = 認証アプリを設定しました
event-app-removed = 認証アプリを削除しました
event-codes-made = 新しい回復コードを作りました
event-code-used = 回復コードを使いました
event-devices-forgotten = ブラウザーの記憶を消しました
event-factors-removed = 二つ目の要素が代わりに削除されました
event-token-made = プログラムがあなたに代わって操作するためのトークンが作成されました
event-token-ended = プログラムのトークンが無効になりました
