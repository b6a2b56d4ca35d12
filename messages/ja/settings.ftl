# 自分のアカウント。

settings-title = アカウント
settings-name = 名前
settings-name-save = 名前を保存
settings-name-saved = 名前を保存しました。
settings-email-verified = 確認済み
settings-email-unverified = 未確認
settings-email-verify = 確認用のリンクを送る
settings-email-change = アドレスを変更
settings-email-new = 新しいメールアドレス
settings-email-hint = 新しいアドレスにリンクをお送りします。開くまで、アカウントのアドレスは変わりません。
settings-email-send = リンクを送る
settings-email-sent = { $email } にリンクを記載したメールをお送りしました。開くまで何も変わりません。
settings-email-same = このアドレスはすでにあなたのアカウントのものです。
settings-mail-sent = { $email } にリンクを記載したメールをお送りしました。
settings-no-mail = { $server } はメールを送信しません。運営者にお問い合わせください。
settings-password-change = パスワードを変更
settings-password-current = 現在のパスワード
settings-password-ends = ほかのブラウザーはすべてサインアウトします。接続済みアプリはそのままです。
settings-password-changed = パスワードを変更しました。ほかのブラウザーはすべてサインアウトしました。接続済みアプリはそのままです。
settings-password-none = パスワードなしでサインインしています。アドレスの変更、データのダウンロード、アカウントの削除には、まずパスワードを設定してください。
settings-password-ask = パスワード設定用のリンクを送る
settings-wrong-password = 現在のパスワードと一致しません。
settings-too-many-mails = 最近、リンクを何度も請求されています。最新のリンクを使うか、明日もう一度お試しください。
settings-meanwhile = その間にアカウントが変更されました。別のウィンドウかもしれません。ご確認のうえ、もう一度お試しください。
settings-other-account = その間に別のアカウントでサインインしました。これはそのアカウントです。何も変更していません。
settings-language-lead = このサイトのページと、あなたへのメールに使います
settings-language-browser = ブラウザーの設定に従う
settings-language-save = 言語を保存
settings-export = あなたのデータ
settings-export-lead = 保存されているあなたの情報をすべてダウンロード
settings-export-do = ダウンロード
settings-delete = アカウントを削除
settings-delete-lead = 何が終わるかは次のページに記載しています。
settings-delete-open = 自分のアカウントを削除する

## 退会

delete-lead = { $email } のアカウントを削除します。元に戻すことはできません。
delete-ends = 終わるもの
delete-apps = { $count ->
    [0] 接続中のアプリはありません。
   *[other] { $count } 個のアプリの接続を解除します。あなたに代わって何もできなくなります。
 }
delete-sessions = { $count } 台のブラウザーをサインアウトします。
delete-data = 名前、アドレス、パスワード、許可した内容の一覧を削除します。
delete-services = ここに登録したサービスは残り、運営者のものになります。
delete-kept = 起きたことの記録は、名前のない番号と、接続元のネットワークアドレスとともに残ります。
delete-do = アカウントを完全に削除する
delete-keep = アカウントを残す
deleted-heading = アカウントを削除しました
deleted-lead = すべて削除し、アプリの接続を解除して、サインアウトしました。このページは閉じてかまいません。
