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

## アカウントの作成とメールのリンク

links-sign-up = アカウントを作成
links-ask-sign-up = メールアドレスを入力してください。名前とパスワードを決めるためのリンクをお送りします。
links-reset = 新しいパスワードを設定
links-ask-reset = アカウントのメールアドレスを入力してください。リンクをお送りします。
links-verify = これはあなたのアドレスですか？
links-change = このアドレスを使いますか？
links-restore = アカウントを取り戻す
links-send = リンクを送る
links-back-to-sign-in = サインインに戻る
links-check-mail = メールをご確認ください
links-mail-sent = { $email } に関する手続きがあれば、リンクを記載したメールをお送りしました。
links-no-mail = 届きませんか？迷惑メールを確認し、つづりを確かめるか、数分後にもう一度お試しください。
links-for = { $email }
links-new-password = 新しいパスワード
links-password-hint = { $count } 文字以上。関連のない単語をいくつか並べると、覚えやすく推測されにくくなります。
links-reset-ends = サインイン中のブラウザーはすべてサインアウトし、接続済みアプリはもう一度許可する必要があります。
links-make-account = アカウントを作成する
links-save-password = パスワードを保存する
links-confirm = はい、私のアドレスです
links-not-you = 心当たりがなければ、このページを閉じてください。何も起こりません。
links-done = 完了しました
links-done-verify = アドレスを確認しました。
links-done-change = アカウントのアドレスを変更しました。
links-done-reset = 新しいパスワードを設定しました。そのパスワードでサインインしてください。
links-done-restore = アカウントを取り戻しました。新しいパスワードでサインインしてください。
sign-in-forgot = パスワードをお忘れですか？
sign-in-sign-up = アカウントを作成
field-name = お名前
field-name-wrong = お名前を入力してください（1～100 文字）。
field-email-wrong = メールアドレスではありません。ご確認ください。
field-email-taken = このアドレスは、すでに別のアカウントで使われています。
password-too-short = パスワードが短すぎます。{ $count } 文字以上にしてください。
password-too-long = パスワードが長すぎます。
password-known = このパスワードは最初に試されるものの一つです。関連のない単語をいくつか並べるなど、別のものを選んでください。
password-personal = このパスワードは、誰でも知ることのできる名前でできています。関連のない単語をいくつか並べるなど、別のものを選んでください。
