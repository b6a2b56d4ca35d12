# サインイン中の方のページ。説明は英語のファイルにあります。

date = { $year }年{ $month }月{ $day }日
places-label = あなたのページ

## 接続済みアプリ

apps-title = 接続済みアプリ
apps-lead = これらのアプリは、あなたに代わって操作できます。使わなくなったものは接続を解除してください。
apps-none = 接続されているものはありません。アプリを許可すると、ここに表示されます。
apps-uses = { $client } が { $plugin } を利用しています
apps-since = { $date }に許可
apps-connections = { $count } 件の接続
apps-connected = { $date }に接続
apps-connected-from = { $date }に { $address } から接続
apps-refreshed = 最後の利用：{ $date }
apps-not-refreshed = 最初に利用されただけです
apps-unused = 許可されていますが、現在は接続されていません。
apps-disconnect = 接続を解除
apps-disconnect-one = この接続だけを解除
apps-disconnected = { $client } は { $plugin } を利用できなくなりました。{ $count ->
    [0] 接続はありませんでした。
   *[other] { $count } 件の接続が終了しました。
 }
apps-disconnected-one = { $client } の接続が一つ終了しました。ほかの接続はそのままです。
apps-history = これまでのできごと

event-account-added = アカウントが作成されました
event-email-verified = メールアドレスを確認しました
event-email-changed = メールアドレスが変更されました
event-password-changed = パスワードが変更されました
event-sessions-ended = ほかのブラウザーをサインアウトしました
event-signed-out-everywhere = すべてサインアウトし、全アプリの接続を解除しました
event-consent-granted = { $client } を許可しました
event-consent-revoked = { $client } の接続を解除しました
event-connected = { $client } が接続しました
event-connection-ended = { $client } の接続が一つ終了しました

## サインイン中の場所

sessions-title = サインイン中のブラウザー
sessions-lead = 心当たりのないブラウザーがあれば、サインアウトしてパスワードを変更してください。
sessions-here = このブラウザー
sessions-browser = { $browser }（{ $system }）
sessions-some-browser = { $name }
sessions-unknown = ブラウザー
sessions-since = { $date }にサインイン
sessions-end = サインアウト
sessions-end-others = ほかのブラウザーをすべてサインアウト
sessions-ended = { $count ->
    [0] すでにサインアウトしていました。
   *[other] { $count } 台のブラウザーをサインアウトしました。
 }
sessions-everything-heading = すべてサインアウト
sessions-everything-lead = このブラウザーもサインアウトし、すべてのアプリの接続を解除します。アプリはもう一度許可する必要があります。
sessions-end-everything = すべてサインアウトして全アプリの接続を解除
